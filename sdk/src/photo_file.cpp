// A photo's header: its kind, its size, which way up it is.
//
// In: bytes from anybody. Out: a PhotoHeader, or Refused: 415 where the bytes are no image of these
// kinds, 422 where the header cannot be read. To add a kind: a line in `read_header`.
#include <algorithm>
#include <cstdlib>

#include "photo.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Far beyond what a device holds in memory, whatever is allowed.
constexpr std::int64_t MOST = 178956970;
const std::string EXIF("Exif\0\0", 6), XMP("http://ns.adobe.com/xap/1.0/\0", 29);

bool begins(const std::string& text, const std::string& with) {
  return text.compare(0, with.size(), with) == 0;
}

bool is_frame(unsigned marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Whether the pixels end, somewhere behind where they begin.
bool ends(const Reader& file, std::size_t from) {
  for (std::size_t at = from; at + 1 < file.size(); ++at) {
    if (file.byte(at) == 0xff && file.byte(at + 1) == 0xd9) return true;
  }
  return file.byte(from) == 0xd9;
}

// Segments up to the first scan.
PhotoHeader jpeg_header(const Reader& file) {
  std::int64_t height = 0, width = 0;
  Bytes exif;
  std::string xmp;
  std::size_t at = 2;
  for (;;) {
    while (file.byte(at) != 0xff) ++at;
    while (file.byte(at) == 0xff) ++at;
    const unsigned marker = file.byte(at);
    if (marker == 0xda || marker == 0xd9) break;
    if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const std::size_t end = at + 1 + file.two(at + 1), body = at + 3;
    if (is_frame(marker)) {
      height = file.two(at + 4);
      width = file.two(at + 6);
    }
    if (marker == 0xe1 && file.text(body, body + EXIF.size()) == EXIF) {
      // What is too long for one segment goes on in the next.
      const Bytes more = file.part(body + EXIF.size(), end);
      exif.insert(exif.end(), more.begin(), more.end());
    } else if (marker == 0xe1 && file.text(body, body + XMP.size()) == XMP) {
      xmp = file.text(body + XMP.size(), end);
    }
    at = end;
  }
  if (!ends(file, at)) throw damaged("its pixels are cut off");
  return {"JPEG", width, height, orientation_of(exif, xmp)};
}

void webp_size(const std::string& name, const Reader& file, std::size_t at, PhotoHeader& header) {
  if (name == "VP8X") {
    header.width = (file.four(at + 4, false) & 0xffffff) + 1;
    header.height = (file.four(at + 6, false) >> 8) + 1;
  } else if (name == "VP8L") {
    const std::uint32_t bits = file.four(at + 1, false);
    header.width = (bits & 0x3fff) + 1;
    header.height = (bits >> 14 & 0x3fff) + 1;
  } else if (name == "VP8 ") {
    header.width = file.two(at + 6, false) & 0x3fff;
    header.height = file.two(at + 8, false) & 0x3fff;
  }
}

PhotoHeader webp_header(const Reader& file) {
  PhotoHeader header{"WEBP", 0, 0, 1};
  Bytes exif;
  std::string xmp;
  const std::size_t end = 8 + static_cast<std::size_t>(file.four(4, false));
  if (end > file.size()) throw damaged("its pixels are cut off");
  for (std::size_t at = 12; at + 8 <= end;) {
    const std::string name = file.text(at, at + 4);
    const std::size_t next = at + 8 + file.four(at + 4, false);
    if (header.width == 0) webp_size(name, file, at + 8, header);
    if (name == "EXIF" && exif.empty()) exif = file.part(at + 8, next);
    if (name == "XMP " && xmp.empty()) xmp = file.text(at + 8, next);
    at = next + next % 2;
  }
  header.orientation = orientation_of(exif, xmp);
  return header;
}

// The screen, or the first frame where that reaches further.
PhotoHeader gif_header(const Reader& file) {
  const unsigned flags = file.byte(10);
  std::size_t at = 13 + (flags & 0x80 ? std::size_t(3) << ((flags & 7) + 1) : 0);
  while (file.byte(at) == 0x21) {
    at += 2;
    while (file.byte(at) != 0) at += 1 + file.byte(at);
    ++at;
  }
  if (file.byte(at) != 0x2c) throw damaged("it has no frame");
  const unsigned right = file.two(at + 1, false) + file.two(at + 5, false);
  const unsigned bottom = file.two(at + 3, false) + file.two(at + 7, false);
  return {"GIF", std::max(file.two(6, false), right), std::max(file.two(8, false), bottom), 1};
}

PhotoHeader bmp_header(const Reader& file) {
  const bool old = file.four(14, false) == 12;
  const auto side = [&](std::size_t at) -> std::int64_t {
    return old ? static_cast<std::int64_t>(file.two(at, false))
               : static_cast<std::int32_t>(file.four(at, false));
  };
  const std::int64_t width = side(18), height = std::llabs(side(old ? 20 : 22));
  return {"BMP", width, height, 1};
}

PhotoHeader read_header(const Bytes& bytes) {
  const Reader file(bytes);
  const std::string beginning = file.text(0, 12);
  if (begins(beginning, "\xff\xd8")) return jpeg_header(file);
  if (begins(beginning, "\x89PNG")) return png_header(bytes);
  if (begins(beginning, "RIFF") && beginning.size() == 12 && beginning.substr(8) == "WEBP")
    return webp_header(file);
  if (begins(beginning, "GIF8")) return gif_header(file);
  if (begins(beginning, "BM")) return bmp_header(file);
  throw Refused("these bytes are no image that is known here: JPEG, PNG, WEBP, GIF, BMP", 415);
}

}  // namespace

Refused damaged(const std::string& why) { return Refused("the image is cut off or damaged: " + why); }

unsigned Reader::two(std::size_t at, bool big) const {
  return big ? byte(at) << 8 | byte(at + 1) : byte(at + 1) << 8 | byte(at);
}

std::uint32_t Reader::four(std::size_t at, bool big) const {
  return big ? two(at) << 16 | two(at + 2) : two(at + 2, false) << 16 | two(at, false);
}

std::string Reader::text(std::size_t from, std::size_t to) const {
  const Bytes found = part(from, to);
  return std::string(found.begin(), found.end());
}

Bytes Reader::part(std::size_t from, std::size_t to) const {
  const std::size_t begin = std::min(from, size()), end = std::min(std::max(from, to), size());
  return Bytes(all_.begin() + static_cast<long>(begin), all_.begin() + static_cast<long>(end));
}

PhotoHeader header_of(const Bytes& file) {
  PhotoHeader header;
  try {
    header = read_header(file);
  } catch (const std::out_of_range&) {
    throw damaged("its header cannot be read");
  }
  if (header.width <= 0 || header.height <= 0) throw damaged("its header cannot be read");
  if (header.width > MOST || header.width * header.height > MOST)
    throw Refused("the image has far too many pixels", 413);
  return header;
}

Photo blank_photo(const PhotoHeader& header) {
  Photo photo;
  photo.width = static_cast<int>(header.width);
  photo.height = static_cast<int>(header.height);
  photo.rgba.assign(static_cast<std::size_t>(header.width * header.height) * 4, 0);
  for (std::size_t i = 3; i < photo.rgba.size(); i += 4) photo.rgba[i] = 255;
  return photo;
}

}  // namespace inner
}  // namespace deploy_target
