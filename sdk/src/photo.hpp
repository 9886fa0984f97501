// What the files about photos share.
#ifndef DEPLOY_TARGET_SRC_PHOTO_HPP
#define DEPLOY_TARGET_SRC_PHOTO_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "deploy_target/model.hpp"

namespace deploy_target {
namespace inner {

// What a photo's file says before a pixel is decoded; sides as they lie in the file.
struct PhotoHeader {
  std::string kind;  // "JPEG", "PNG", "WEBP", "GIF" or "BMP"
  std::int64_t width, height;
  int orientation;  // EXIF's: 1 is upright, 5 to 8 lie on their side
};

// What is said of a photo whose bytes break off, or make no sense.
Refused damaged(const std::string& why);

// Bytes as numbers; reading past the end is a std::out_of_range.
class Reader {
 public:
  explicit Reader(const Bytes& all) : all_(all) {}

  std::size_t size() const { return all_.size(); }
  unsigned byte(std::size_t at) const { return all_.at(at); }
  unsigned two(std::size_t at, bool big = true) const;
  std::uint32_t four(std::size_t at, bool big = true) const;
  // As many as are there.
  std::string text(std::size_t from, std::size_t to) const;
  Bytes part(std::size_t from, std::size_t to) const;

 private:
  const Bytes& all_;
};

// Each of these throws Refused.
PhotoHeader header_of(const Bytes& file);
PhotoHeader png_header(const Bytes& file);
Photo png_pixels(const Bytes& file, const PhotoHeader& header);
Photo jpeg_pixels(const Bytes& file, const PhotoHeader& header);
Photo gif_pixels(const Bytes& file, const PhotoHeader& header);
Photo bmp_pixels(const Bytes& file, const PhotoHeader& header);

// Which way up: EXIF's orientation, or XMP's where EXIF has none; 1 where neither can be read.
int orientation_of(const Bytes& exif, const std::string& xmp);

// A photo of that size, black and opaque.
Photo blank_photo(const PhotoHeader& header);

}  // namespace inner
}  // namespace deploy_target

#endif
