#include "png.hpp"

#include <zlib.h>

#include <stdexcept>

namespace deploy_target {
namespace inner {

namespace {

void put_long(Bytes& to, std::uint32_t value) {
  for (int i = 24; i >= 0; i -= 8) to.push_back(static_cast<std::uint8_t>(value >> i));
}

void chunk(Bytes& file, const char* name, const Bytes& body) {
  put_long(file, static_cast<std::uint32_t>(body.size()));
  const std::size_t from = file.size();
  file.insert(file.end(), name, name + 4);
  file.insert(file.end(), body.begin(), body.end());
  put_long(file,
           static_cast<std::uint32_t>(crc32(0, file.data() + from, static_cast<uInt>(file.size() - from))));
}

Bytes packed(const Bytes& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  Bytes made(size);
  if (compress(made.data(), &size, raw.data(), static_cast<uLong>(raw.size())) != Z_OK) {
    throw std::runtime_error("zlib could not pack a mask");
  }
  made.resize(size);
  return made;
}

}  // namespace

Bytes png_of(const Bytes& pixels, std::int64_t height, std::int64_t width, const Colours& colours) {
  Bytes file{137, 80, 78, 71, 13, 10, 26, 10}, header, rows;
  put_long(header, static_cast<std::uint32_t>(width));
  put_long(header, static_cast<std::uint32_t>(height));
  const std::uint8_t with_palette[] = {8, 3, 0, 0, 0};
  header.insert(header.end(), with_palette, with_palette + 5);
  for (std::int64_t row = 0; row < height; ++row) {
    rows.push_back(0);  // each row as it is, not as its difference to another
    rows.insert(rows.end(), pixels.begin() + row * width, pixels.begin() + (row + 1) * width);
  }
  chunk(file, "IHDR", header);
  chunk(file, "PLTE", colours);
  chunk(file, "IDAT", packed(rows));
  chunk(file, "IEND", {});
  return file;
}

std::string base64(const Bytes& bytes) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string said;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) three = three << 8 | (at + i < bytes.size() ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      said += at + i <= bytes.size() ? letters[three >> (18 - 6 * i) & 63] : '=';
  }
  return said;
}

}  // namespace inner
}  // namespace deploy_target
