// The pixels of a BMP that is not packed: 1, 4 and 8 bits of a palette, 16, 24 and 32 of colours.
#include "photo.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr std::uint32_t PLAIN = 0, WITH_MASKS = 3;

// How a file's pixels are written.
struct BmpForm {
  unsigned bits;
  bool from_top;
  std::size_t start;
  std::uint32_t masks[4];  // red, green, blue, alpha
  Bytes palette;           // blue, green, red, and one more in newer files
  std::size_t colour;      // bytes of a colour
};

BmpForm bmp_form(const Reader& file) {
  const std::size_t size = file.four(14, false);
  const bool old = size == 12;
  BmpForm form{file.two(old ? 24 : 28, false),
               !old && (file.four(22, false) >> 31) != 0,
               file.four(10, false),
               {0xff0000, 0xff00, 0xff, 0},
               {},
               old ? 3u : 4u};
  const std::uint32_t packing = old ? PLAIN : file.four(30, false);
  if (packing != PLAIN && packing != WITH_MASKS)
    throw Refused("a BMP that is packed is not taken; save it as PNG", 415);
  if (form.bits == 16) {
    const std::uint32_t five[] = {0x7c00, 0x3e0, 0x1f};
    for (int i = 0; i < 3; ++i) form.masks[i] = five[i];
  }
  for (std::size_t i = 0; packing == WITH_MASKS && i < (size >= 56 ? 4u : 3u); ++i)
    form.masks[i] = file.four(54 + 4 * i, false);
  if (form.bits <= 8) form.palette = file.part(14 + size, form.start);
  if (form.bits != 1 && form.bits != 4 && form.bits != 8 && form.bits != 16 && form.bits != 24 &&
      form.bits != 32) {
    throw damaged("it has " + std::to_string(form.bits) + " bits of each pixel");
  }
  form.palette.resize(256 * 4);
  return form;
}

// A part of a pixel as a level of 255.
std::uint8_t level_in(std::uint32_t pixel, std::uint32_t mask) {
  if (mask == 0) return 255;
  while (!(mask & 1)) {
    mask >>= 1;
    pixel >>= 1;
  }
  return static_cast<std::uint8_t>(static_cast<std::uint64_t>(pixel & mask) * 255 / mask);
}

void put_pixel(const Reader& file, const BmpForm& form, std::size_t row, std::size_t x, std::uint8_t* rgba) {
  if (form.bits <= 8) {
    const std::size_t bit = x * form.bits;
    const std::size_t index = file.byte(row + bit / 8) >> (8 - form.bits - bit % 8) & ((1u << form.bits) - 1);
    for (std::size_t c = 0; c < 3; ++c) rgba[c] = form.palette[index * form.colour + 2 - c];
    return;
  }
  std::uint32_t pixel = 0;
  for (std::size_t i = 0; i < form.bits / 8; ++i)
    pixel |= static_cast<std::uint32_t>(file.byte(row + x * form.bits / 8 + i)) << 8 * i;
  for (std::size_t c = 0; c < 4; ++c) rgba[c] = level_in(pixel, form.masks[c]);
}

}  // namespace

Photo bmp_pixels(const Bytes& bytes, const PhotoHeader& header) {
  const Reader file(bytes);
  try {
    const BmpForm form = bmp_form(file);
    const std::size_t width = static_cast<std::size_t>(header.width),
                      height = static_cast<std::size_t>(header.height);
    const std::size_t line = (width * form.bits + 31) / 32 * 4;
    if (form.start + line * height > file.size()) throw damaged("its pixels are cut off");
    Photo photo = blank_photo(header);
    for (std::size_t y = 0; y < height; ++y) {
      const std::size_t row = form.start + (form.from_top ? y : height - 1 - y) * line;
      for (std::size_t x = 0; x < width; ++x) put_pixel(file, form, row, x, &photo.rgba[(y * width + x) * 4]);
    }
    return photo;
  } catch (const std::out_of_range&) {
    throw damaged("its header cannot be read");
  }
}

}  // namespace inner
}  // namespace deploy_target
