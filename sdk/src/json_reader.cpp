#include "json_reader.hpp"

#include <cctype>
#include <cstring>

#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Objects in lists in objects: beyond, the text means to exhaust the stack.
constexpr int DEEPEST = 400;

bool is_digit(char sign) { return sign >= '0' && sign <= '9'; }
bool is_letter(char sign) { return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z'); }

}  // namespace

Json::Wrong JsonReader::wrong(const std::string& what) const {
  return Json::Wrong(what + " (byte " + std::to_string(at_ + 1) + ")");
}

Json JsonReader::whole() {
  Json made = value(0);
  blank();
  if (at_ < text_.size()) throw wrong("there is more after the end");
  return made;
}

void JsonReader::blank() {
  while (at_ < text_.size() && std::strchr(" \n\r\t", text_[at_]) && text_[at_] != '\0') ++at_;
}

bool JsonReader::skip(char sign) {
  blank();
  const bool there = at_ < text_.size() && text_[at_] == sign;
  if (there) ++at_;
  return there;
}

Json JsonReader::value(int depth) {
  if (depth > DEEPEST) throw wrong("it is nested too deeply");
  if (skip('[')) return list(depth);
  if (skip('{')) return object(depth);
  if (here() == '"') return Json(string());
  return here() == '-' || is_digit(here()) ? number() : word();
}

Json JsonReader::list(int depth) {
  Json::List values;
  if (skip(']')) return Json(std::move(values));
  do values.push_back(value(depth + 1));
  while (skip(','));
  if (!skip(']')) throw wrong("expected \",\" or \"]\"");
  return Json(std::move(values));
}

Json JsonReader::object(int depth) {
  Json::Object found;
  if (skip('}')) return Json(std::move(found));
  do {
    blank();
    std::string name = string();
    if (!skip(':')) throw wrong("expected \":\"");
    Json one = value(depth + 1);
    if (found.count(name)) throw wrong("an object names '" + name + "' twice");
    found.emplace(std::move(name), std::move(one));
  } while (skip(','));
  if (!skip('}')) throw wrong("expected \",\" or \"}\"");
  return Json(std::move(found));
}

std::string JsonReader::string() {
  if (here() != '"') throw wrong("expected a name in quotes");
  std::string found;
  ++at_;
  while (at_ < text_.size() && text_[at_] != '"') {
    const char letter = text_[at_];
    if (static_cast<unsigned char>(letter) < 0x20) throw wrong("a text in quotes holds a control character");
    ++at_;
    if (letter == '\\') {
      escaped(found);
    } else {
      found += letter;
    }
  }
  if (at_ >= text_.size()) throw wrong("a text in quotes does not end");
  ++at_;
  return found;
}

void JsonReader::escaped(std::string& to) {
  static const char signs[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const char sign = here();
  ++at_;
  const char* known = sign == '\0' ? nullptr : std::strchr(signs, sign);
  if (known) {
    to += meant[known - signs];
    return;
  }
  if (sign != 'u') throw wrong("a text in quotes is not written as JSON wants it");
  std::uint32_t letter = hex();
  // Letters beyond 16 bits are written as two halves.
  const bool pair = letter >= 0xd800 && letter < 0xdc00 && text_.compare(at_, 2, "\\u") == 0;
  if (pair) {
    const std::size_t before = at_;
    at_ += 2;
    const std::uint32_t low = hex();
    if (low >= 0xdc00 && low < 0xe000) {
      letter = 0x10000 + ((letter - 0xd800) << 10) + (low - 0xdc00);
    } else {
      at_ = before;
    }
  }
  append(to, letter);
}

std::uint32_t JsonReader::hex() {
  std::uint32_t found = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char sign = here();
    if (!std::isxdigit(static_cast<unsigned char>(sign)))
      throw wrong("a text in quotes is not written as JSON wants it");
    found = found * 16 + static_cast<std::uint32_t>(is_digit(sign) ? sign - '0' : (sign | 32) - 'a' + 10);
  }
  return found;
}

void JsonReader::digits() {
  while (is_digit(here())) ++at_;
}

Json JsonReader::number() {
  const std::size_t from = at_;
  bool whole = true;
  if (here() == '-') ++at_;
  if (!is_digit(here())) {
    at_ = from;
    return word();
  }
  if (here() == '0') {
    ++at_;
  } else {
    digits();
  }
  if (here() == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
    ++at_;
    digits();
    whole = false;
  }
  if (here() == 'e' || here() == 'E') {
    const std::size_t before = at_++;
    if (here() == '+' || here() == '-') ++at_;
    const bool power = is_digit(here());
    digits();
    whole = whole && !power;
    if (!power) at_ = before;
  }
  return Json::digits(text_.substr(from, at_ - from), whole);
}

Json JsonReader::word() {
  std::size_t end = at_;
  while (end < text_.size() && ((text_[end] == '-' && end == at_) || is_letter(text_[end]))) ++end;
  const std::string word = text_.substr(at_, end - at_);
  if (word == "NaN" || word == "Infinity" || word == "-Infinity") {
    throw wrong(word + " is no JSON; send null for what is missing");
  }
  if (word != "null" && word != "true" && word != "false") throw wrong("expected a value");
  at_ = end;
  return word == "null" ? Json() : Json(word == "true");
}

}  // namespace inner
}  // namespace deploy_target
