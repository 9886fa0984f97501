// From the bytes of a photo to its pixels.
//
// In: bytes of a JPEG, PNG, WebP, GIF or BMP, from anybody. Out: uint8 [height, width, 3 or 1].
// Whatever the bytes are, the answer is pixels or Refused: 413 too large, 415 no such image, 422
// damaged. The frame learns the photo's size, upright, and where its pixels are in the tensor.
#include <algorithm>

#include "photo.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// A JPEG as large as may be has at most so many scans, a smaller one up to 100.
constexpr std::int64_t SCANS = 30;

std::int64_t scans_of(const PhotoHeader& header, const Bytes& file) {
  if (header.kind != "JPEG") return 1;
  std::int64_t found = 0;
  for (std::size_t at = 0; at + 1 < file.size(); ++at)
    found += file[at] == 0xff && file[at + 1] == 0xda ? 1 : 0;
  return found;
}

// Before a single pixel is decoded: the header says how many there would be.
void within_limits(const PhotoHeader& header, const Bytes& file, const Fields& options) {
  const std::int64_t most = options.whole("max_pixels"), pixels = header.width * header.height;
  const std::string size =
      "the image is " + std::to_string(header.width) + " x " + std::to_string(header.height);
  if (pixels > most) throw Refused(size + "; at most " + std::to_string(most) + " pixels are taken", 413);
  if (options.has("max_ratio")) {
    const std::int64_t ratio = options.whole("max_ratio");
    if (std::max(header.width, header.height) > ratio * std::min(header.width, header.height)) {
      throw Refused(size + "; one side may be " + std::to_string(ratio) + " times the other", 413);
    }
  }
  const std::int64_t scans = scans_of(header, file);
  if (scans > 100 || scans * pixels > SCANS * most) {
    throw Refused("the image is a JPEG of " + std::to_string(scans) + " scans; save it anew, not progressive",
                  413);
  }
}

Photo pixels_of(const Bytes& file, const PhotoHeader& header, const ImageDecoder& decoder) {
  if (header.kind == "JPEG") return jpeg_pixels(file, header);
  if (header.kind == "PNG") return png_pixels(file, header);
  if (header.kind == "GIF") return gif_pixels(file, header);
  if (header.kind == "BMP") return bmp_pixels(file, header);
  if (!decoder) throw Refused("a " + header.kind + " image is not taken here; send a JPEG or a PNG", 415);
  return decoder(file, header.kind);
}

// A level of a pixel on a ground; below 0: as it is.
int level_on(const std::uint8_t* rgba, int channel, int ground) {
  if (ground < 0) return rgba[channel];
  // A division by 255 in whole numbers, rounded to the nearest.
  const int sum = ground * (255 - rgba[3]) + rgba[channel] * rgba[3] + 128;
  return ((sum >> 8) + sum) >> 8;
}

// Where the upright photo's first pixel lies in the file, and how far it is to the next one to the
// right and to the next one down.
struct Walk {
  std::int64_t start, right, down;
};

Walk walk_of(std::int64_t height, std::int64_t width, int turn) {
  const std::int64_t bottom = (height - 1) * width, last = width - 1;
  switch (turn) {
    case 2: return {last, -1, width};
    case 3: return {bottom + last, -1, -width};
    case 4: return {bottom, 1, -width};
    case 5: return {0, width, 1};
    case 6: return {bottom, -width, 1};
    case 7: return {bottom + last, -width, -1};
    case 8: return {last, width, -1};
    default: return {0, 1, width};
  }
}

}  // namespace

Tensor decode_image(const Bytes& bytes, Frame& frame, const Fields& options, const ImageDecoder& decoder) {
  const PhotoHeader header = header_of(bytes);
  within_limits(header, bytes, options);
  const int turn = options.text("orientation") == "exif" ? header.orientation : 1;
  const Photo photo = pixels_of(bytes, header, decoder);
  if (photo.width != header.width || photo.height != header.height) {
    throw damaged("it decodes to another size than its header says");
  }
  return upright(photo, turn, frame, options);
}

// A photo's pixels by the rules for alpha and colours, turned upright from EXIF's orientation.
Tensor upright(const Photo& photo, int turn, Frame& frame, const Fields& options) {
  if (photo.width <= 0 || photo.height <= 0 ||
      photo.rgba.size() !=
          static_cast<std::size_t>(photo.width) * static_cast<std::size_t>(photo.height) * 4) {
    throw std::invalid_argument("a photo has four bytes for each of its pixels");
  }
  const std::string alpha = options.text("alpha");
  const int ground = alpha == "drop" ? -1 : alpha == "white" ? 255 : 0;
  const bool colours = options.text("mode") == "rgb";
  const std::int64_t tall = turn > 4 ? photo.width : photo.height,
                     wide = turn > 4 ? photo.height : photo.width;
  const Walk walk = walk_of(photo.height, photo.width, turn);
  Bytes made;
  made.reserve(static_cast<std::size_t>(tall * wide) * (colours ? 3 : 1));
  for (std::int64_t y = 0; y < tall; ++y) {
    for (std::int64_t x = 0; x < wide; ++x) {
      const std::uint8_t* rgba =
          &photo.rgba[static_cast<std::size_t>(walk.start + y * walk.down + x * walk.right) * 4];
      const int red = level_on(rgba, 0, ground), green = level_on(rgba, 1, ground),
                blue = level_on(rgba, 2, ground);
      if (colours) {
        for (const int level : {red, green, blue}) made.push_back(static_cast<std::uint8_t>(level));
      } else {
        // Red, green and blue as grey, in 65536ths: ITU-R 601-2.
        made.push_back(static_cast<std::uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16));
      }
    }
  }
  frame.size = Sides{tall, wide};
  frame.to_model = std::array<double, 4>{{1, 1, 0, 0}};
  return Tensor::of({tall, wide, colours ? 3 : 1}, std::move(made));
}

}  // namespace inner
}  // namespace deploy_target
