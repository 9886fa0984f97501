#include "text.hpp"

#include <locale.h>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace deploy_target {
namespace inner {

namespace {

// A program may have a locale in which numbers have commas.
class PlainNumbers {
 public:
  PlainNumbers() : before_(uselocale(plain())) {}
  ~PlainNumbers() { uselocale(before_); }
  PlainNumbers(const PlainNumbers&) = delete;
  PlainNumbers& operator=(const PlainNumbers&) = delete;

 private:
  static locale_t plain() {
    static const locale_t made = newlocale(LC_ALL_MASK, "C", nullptr);
    return made;
  }
  locale_t before_;
};

// "-d.ddde+dd" of so many digits, rounded to the nearest.
std::string scientific(double value, int digits) {
  char text[40];
  const PlainNumbers numbers;
  std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
  return text;
}

std::string shortest_text(double value, int most, const std::function<bool(double)>& same) {
  for (int digits = 1; digits < most; ++digits) {
    std::string text = scientific(value, digits);
    if (same(number_of(text))) return text;
  }
  return scientific(value, most);
}

// How many bytes the letter has that begins here; 0 where it is no UTF-8.
std::size_t letter_at(const std::string& text, std::size_t at, std::uint32_t& letter) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t wide = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;
  if (wide == 0 || at + wide > text.size()) return 0;
  letter = wide == 1 ? first : first & (0x7f >> wide);
  for (std::size_t i = 1; i < wide; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
    letter = letter << 6 | (byte(at + i) & 0x3f);
  }
  const bool longer = (wide == 3 && letter < 0x800) || (wide == 4 && letter < 0x10000);
  const bool none = letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000);
  return longer || none ? 0 : wide;
}

bool is_blank(std::uint32_t c) {
  if ((c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || (c >= 0x2000 && c <= 0x200a)) return true;
  return c == 0x85 || c == 0xa0 || c == 0x1680 || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

double number_of(const std::string& text) {
  const PlainNumbers numbers;
  return std::strtod(text.c_str(), nullptr);
}

double shortest(double value, int most, const std::function<bool(double)>& same) {
  return number_of(shortest_text(value, most, same));
}

std::string pythonic(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  const std::string text =
      shortest_text(std::fabs(value), 17, [&](double d) { return d == std::fabs(value); });
  const std::string sign = value < 0 ? "-" : "";
  const std::size_t mark = text.find('e');
  std::string digits = text.substr(0, 1) + (mark > 2 ? text.substr(2, mark - 2) : "");
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  const int power = std::atoi(text.c_str() + mark + 1);
  if (power >= 16 || power < -4) {
    const std::string rest = digits.size() > 1 ? "." + digits.substr(1) : "";
    const std::string size = std::to_string(std::abs(power));
    return sign + digits[0] + rest + "e" + (power < 0 ? "-" : "+") + (size.size() < 2 ? "0" : "") + size;
  }
  if (power < 0) return sign + "0." + std::string(static_cast<std::size_t>(-power - 1), '0') + digits;
  const std::size_t before = static_cast<std::size_t>(power) + 1;
  if (digits.size() < before) digits.append(before - digits.size(), '0');
  return sign + digits.substr(0, before) + "." + (digits.size() > before ? digits.substr(before) : "0");
}

bool is_utf8(const std::string& text) {
  std::uint32_t letter = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t wide = letter_at(text, at, letter);
    if (wide == 0) return false;
    at += wide;
  }
  return true;
}

std::string sound(const std::string& text) {
  std::string made;
  std::uint32_t letter = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t wide = letter_at(text, at, letter);
    made += wide > 0 ? text.substr(at, wide) : "?";
    at += wide > 0 ? wide : 1;
  }
  return made;
}

void append(std::string& text, std::uint32_t letter) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (letter < 0x80) return add(letter);
  if (letter < 0x800) {
    add(0xc0 | letter >> 6);
  } else if (letter < 0x10000) {
    add(0xe0 | letter >> 12);
    add(0x80 | (letter >> 6 & 0x3f));
  } else {
    add(0xf0 | letter >> 18);
    add(0x80 | (letter >> 12 & 0x3f));
    add(0x80 | (letter >> 6 & 0x3f));
  }
  add(0x80 | (letter & 0x3f));
}

std::size_t letters(const std::string& text) {
  std::size_t count = 0;
  for (const char byte : text) count += continues(byte) ? 0 : 1;
  return count;
}

std::string first_letters(const std::string& text, std::size_t many) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!continues(text[at]) && many-- == 0) break;
  }
  return text.substr(0, at);
}

std::string stripped(const std::string& text) {
  std::size_t from = 0, end = 0;
  bool begun = false;
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t letter = 0;
    const std::size_t wide = letter_at(text, at, letter);
    const bool blank = wide > 0 && is_blank(letter);
    const std::size_t next = at + (wide > 0 ? wide : 1);
    if (!blank && !begun) from = at;
    if (!blank) begun = true;
    if (!blank) end = next;
    at = next;
  }
  return text.substr(from, end - from);
}

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string whole;
  for (std::size_t i = 0; i < parts.size(); ++i) whole += (i > 0 ? between : "") + parts[i];
  return whole;
}

std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
  std::string made;
  std::size_t at = 0;
  for (std::size_t next; (next = text.find(from, at)) != std::string::npos; at = next + from.size()) {
    made += text.substr(at, next - at) + to;
  }
  return made + text.substr(at);
}

}  // namespace inner
}  // namespace deploy_target
