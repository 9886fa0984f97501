// The pixels of a PNG: every depth, palette, transparency, interlaced.
//
// Out: RGBA of 8 bits, the upper byte of 16, colours not multiplied by alpha. Throws Refused where
// the file is damaged.
#include <cstdlib>

#include "png_file.hpp"

namespace deploy_target {
namespace inner {

namespace {

constexpr unsigned PALETTE = 3;

// One image within the image: where it begins, and how far its pixels are apart.
struct Pass {
  std::int64_t left, top, across, down;
};

constexpr Pass WHOLE[] = {{0, 0, 1, 1}};
constexpr Pass INTERLACED[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                               {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

// How pixels are written. `clear` says which colours are transparent.
struct Form {
  unsigned depth, type;
  std::size_t samples;
  Bytes palette, clear;
  bool has_clear;

  std::size_t wide() const { return depth == 16 ? 2 : 1; }
  std::size_t line(std::int64_t pixels) const {
    return (static_cast<std::size_t>(pixels) * samples * depth + 7) / 8;
  }
  std::size_t step() const { return std::max<std::size_t>(1, samples * depth / 8); }
};

std::size_t samples_of(unsigned type) {
  constexpr std::size_t many[] = {1, 0, 3, 1, 2, 0, 4};
  return type < 7 ? many[type] : 0;
}

bool may_be(unsigned type, unsigned depth) {
  if (samples_of(type) == 0) return false;
  if (depth == 8) return true;
  if (depth == 16) return type != PALETTE;
  return (type == 0 || type == PALETTE) && (depth == 1 || depth == 2 || depth == 4);
}

Form form_of(const PngFile& file) {
  const std::size_t start = file.header().from;
  const unsigned depth = file.byte(start + 8), type = file.byte(start + 9);
  if (!may_be(type, depth) || file.byte(start + 11) != 0) throw damaged("its header cannot be read");
  const Chunk *colours = file.find("PLTE", true), *clear = file.find("tRNS", true);
  if (type == PALETTE && !colours) throw damaged("it has no palette");
  Form form{depth,
            type,
            samples_of(type),
            colours ? file.part(*colours) : Bytes(),
            clear ? file.part(*clear) : Bytes(),
            clear != nullptr};
  if (clear && form.samples % 2 != 0 && type != PALETTE && form.clear.size() < 2 * form.samples) {
    throw damaged("its transparency is cut off");
  }
  form.palette.resize(768);
  return form;
}

int paeth(int left, int over, int corner) {
  const int a = std::abs(over - corner), b = std::abs(left - corner), c = std::abs(left + over - 2 * corner);
  return a <= b && a <= c ? left : b <= c ? over : corner;
}

// Each byte was written as its difference from what was guessed; in place.
void unfilter(std::uint8_t* raw, std::int64_t rows, std::size_t line, std::size_t pixel) {
  for (std::int64_t y = 0; y < rows; ++y) {
    std::uint8_t* at = raw + static_cast<std::size_t>(y) * (1 + line) + 1;
    const std::uint8_t* above = at - line - 1;
    const unsigned filter = at[-1];
    if (filter > 4) throw damaged("a row has the filter " + std::to_string(filter));
    for (std::size_t x = 0; filter != 0 && x < line; ++x) {
      const int left = x < pixel ? 0 : at[x - pixel], over = y == 0 ? 0 : above[x];
      const int corner = y == 0 || x < pixel ? 0 : above[x - pixel];
      const int guess = filter == 1   ? left
                        : filter == 2 ? over
                        : filter == 3 ? (left + over) / 2
                                      : paeth(left, over, corner);
      at[x] = static_cast<std::uint8_t>(at[x] + guess);
    }
  }
}

unsigned pair_at(const std::uint8_t* from) { return static_cast<unsigned>(from[0] << 8 | from[1]); }

unsigned packed_at(const std::uint8_t* row, std::size_t x, unsigned depth) {
  const std::size_t bit = x * depth;
  return static_cast<unsigned>(row[bit >> 3]) >> (8 - depth - (bit & 7)) & ((1u << depth) - 1);
}

// Whether a pixel has the one colour that is transparent.
bool is_clear(const Form& form, const std::uint8_t* at, const std::uint8_t* rgba) {
  if (!form.has_clear || form.samples % 2 == 0) return false;
  for (std::size_t s = 0; s < form.samples; ++s) {
    const unsigned wanted = pair_at(&form.clear[2 * s]);
    const unsigned level = form.wide() == 2 ? pair_at(at + 2 * s) : rgba[s];
    // Of one bit, what is clear is black or white.
    if (level != (form.depth == 1 ? std::min(wanted, 1u) * 255 : wanted)) return false;
  }
  return true;
}

void expand(const Form& form, const std::uint8_t* row, std::size_t x, std::uint8_t* rgba) {
  if (form.type == PALETTE) {
    const std::size_t index = form.depth == 8 ? row[x] : packed_at(row, x, form.depth);
    for (std::size_t c = 0; c < 3; ++c) rgba[c] = form.palette[3 * index + c];
    rgba[3] = index < form.clear.size() ? form.clear[index] : 255;
    return;
  }
  const std::size_t wide = form.wide();
  const std::uint8_t* at = row + (form.depth < 8 ? 0 : x * form.samples * wide);
  const std::uint8_t grey =
      form.depth < 8
          ? static_cast<std::uint8_t>(packed_at(row, x, form.depth) * 255 / ((1u << form.depth) - 1))
          : at[0];
  rgba[0] = grey;
  rgba[1] = form.samples > 2 ? at[wide] : grey;
  rgba[2] = form.samples > 2 ? at[2 * wide] : grey;
  rgba[3] = form.samples % 2 != 0 ? 255 : at[(form.samples - 1) * wide];
  if (is_clear(form, at, rgba)) rgba[3] = 0;
}

}  // namespace

Photo png_pixels(const Bytes& bytes, const PhotoHeader& header) {
  const PngFile file(bytes);
  const Form form = form_of(file);
  const bool interlaced = file.byte(file.header().from + 12) != 0;
  struct Part {
    Pass pass;
    std::int64_t wide, tall;
  };
  std::vector<Part> parts;
  std::size_t needed = 0;
  const auto add = [&](const Pass& pass) {
    const std::int64_t wide = (header.width - pass.left + pass.across - 1) / pass.across;
    const std::int64_t tall = (header.height - pass.top + pass.down - 1) / pass.down;
    if (wide <= 0 || tall <= 0) return;
    parts.push_back({pass, wide, tall});
    needed += static_cast<std::size_t>(tall) * (1 + form.line(wide));
  };
  if (interlaced) {
    for (const Pass& pass : INTERLACED) add(pass);
  } else {
    add(WHOLE[0]);
  }
  if (needed > 0x7ffffff0) throw damaged("it is too large");
  Bytes raw = file.pixels(needed);
  if (raw.size() < needed) throw damaged("its pixels are cut off");
  Photo photo = blank_photo(header);
  std::size_t at = 0;
  for (const Part& part : parts) {
    const std::size_t line = form.line(part.wide);
    unfilter(&raw[at], part.tall, line, form.step());
    for (std::int64_t y = 0; y < part.tall; ++y) {
      const std::uint8_t* row = &raw[at + static_cast<std::size_t>(y) * (1 + line) + 1];
      for (std::int64_t x = 0; x < part.wide; ++x) {
        const std::int64_t to =
            (part.pass.top + y * part.pass.down) * header.width + part.pass.left + x * part.pass.across;
        expand(form, row, static_cast<std::size_t>(x), &photo.rgba[static_cast<std::size_t>(to) * 4]);
      }
    }
    at += static_cast<std::size_t>(part.tall) * (1 + line);
  }
  return photo;
}

}  // namespace inner
}  // namespace deploy_target
