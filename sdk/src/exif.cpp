// Which way up a photo is, from an EXIF block, which is a small TIFF file, and XMP, which is text.
// What cannot be read says nothing: the pixels may be sound.
#include <algorithm>

#include "photo.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr unsigned ORIENTATION = 0x0112;

// The first value of an entry; its four bytes say where the values lie if they hold more.
int value_of(const Reader& block, std::size_t at, bool big) {
  const unsigned type = block.two(at + 2, big);
  const std::size_t wide = type == 3 || type == 8 ? 2 : type == 4 || type == 9 ? 4 : type == 6 ? 1 : 0;
  const std::size_t many = block.four(at + 4, big);
  const std::size_t from = wide * many <= 4 ? at + 8 : block.four(at + 8, big);
  if (wide == 0 || many == 0 || from + wide > block.size()) return 1;
  if (wide == 1) return static_cast<std::int8_t>(block.byte(from));
  return wide == 2 ? static_cast<int>(block.two(from, big))
                   : static_cast<std::int32_t>(block.four(from, big));
}

// The tag's value; 0 where the block has no such tag, 1 where it is no such block.
int tagged(const Reader& block) {
  const unsigned order = block.two(0);
  if (block.size() < 8 || (order != 0x4949 && order != 0x4d4d)) return 1;
  const bool big = order == 0x4d4d;
  if (block.two(2, big) != 42) return 1;
  const std::size_t first = block.four(4, big);
  if (first + 2 > block.size()) return 0;
  const std::size_t end =
      std::min(block.size(), first + 2 + 12 * static_cast<std::size_t>(block.two(first, big)));
  for (std::size_t at = first + 2; at + 12 <= end; at += 12) {
    if (block.two(at, big) != ORIENTATION) continue;
    const int value = value_of(block, at, big);
    return value == 0 ? 1 : value;
  }
  return 0;
}

int in_xmp(const std::string& xmp) {
  const std::string name = "tiff:Orientation";
  for (std::size_t at = xmp.find(name); at != std::string::npos; at = xmp.find(name, at + 1)) {
    std::size_t digit = at + name.size();
    if (xmp.compare(digit, 2, "=\"") == 0)
      digit += 2;
    else if (xmp.compare(digit, 1, ">") == 0)
      digit += 1;
    else
      continue;
    if (digit < xmp.size() && xmp[digit] >= '0' && xmp[digit] <= '9') return xmp[digit] - '0';
  }
  return 1;
}

}  // namespace

int orientation_of(const Bytes& exif, const std::string& xmp) {
  static const std::string name("Exif\0\0", 6);
  Bytes block = exif;
  for (int i = 0; i < 2; ++i) {
    if (Reader(block).text(0, name.size()) == name) block.erase(block.begin(), block.begin() + 6);
  }
  int told = 0;
  try {
    if (!block.empty()) told = tagged(Reader(block));
  } catch (const std::out_of_range&) {
    told = 1;
  }
  if (told == 0) told = in_xmp(xmp);
  return told >= 1 && told <= 8 ? told : 1;
}

}  // namespace inner
}  // namespace deploy_target
