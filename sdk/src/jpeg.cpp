// The pixels of a JPEG, by libjpeg-turbo as Pillow calls it: the accurate cosine transform, chroma
// interpolated, no colour profile. The levels are Pillow's own where the library is the same.
#include <csetjmp>
#include <cstddef>
#include <cstdio>

// It counts on the others being there before it.
#include <jerror.h>
#include <jpeglib.h>

#include "photo.hpp"

namespace deploy_target {
namespace inner {

namespace {

struct Trouble {
  jpeg_error_mgr manager;
  std::jmp_buf out;
  char why[JMSG_LENGTH_MAX];
};

void leave(j_common_ptr info) {
  Trouble* trouble = reinterpret_cast<Trouble*>(info->err);
  info->err->format_message(info, trouble->why);
  std::longjmp(trouble->out, 1);
}

// What libjpeg mends is left to it, as Pillow does; but pixels that are not there are none.
void warned(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) leave(info);
}

// Decodes into memory of so many pixels, up to four levels each; how many those are, or 0 and `why`.
// Nothing in here has a destructor: what goes wrong jumps out.
int decompress(const std::uint8_t* file, std::size_t size, const PhotoHeader& header, std::uint8_t* levels,
               Trouble& trouble) {
  jpeg_decompress_struct info;
  info.err = jpeg_std_error(&trouble.manager);
  trouble.manager.error_exit = leave;
  trouble.manager.emit_message = warned;
  trouble.why[0] = '\0';
  if (setjmp(trouble.out)) {
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, const_cast<unsigned char*>(file), static_cast<unsigned long>(size));
  jpeg_read_header(&info, TRUE);
  if (info.num_components == 4)
    info.out_color_space = JCS_CMYK;
  else if (info.num_components == 3)
    info.out_color_space = JCS_RGB;
  else
    info.out_color_space = JCS_GRAYSCALE;
  jpeg_start_decompress(&info);
  const int components = info.output_components;
  const bool right = info.output_width == header.width && info.output_height == header.height;
  while (right && info.output_scanline < info.output_height) {
    const std::size_t line =
        std::size_t(info.output_scanline) * info.output_width * static_cast<std::size_t>(components);
    JSAMPROW row = levels + line;
    jpeg_read_scanlines(&info, &row, 1);
  }
  if (right) jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return right ? components : 0;
}

// Of a level and a share, both of 255: rounded to the nearest.
int share_of(int level, int by) {
  const int product = level * by + 128;
  return ((product >> 8) + product) >> 8;
}

// Four inks, turned round as Adobe writes them and as nearly all have done since.
std::uint8_t of_inks(int ink, int black) {
  const int level = black - share_of(255 - ink, black);
  return static_cast<std::uint8_t>(level < 0 ? 0 : level);
}

}  // namespace

Photo jpeg_pixels(const Bytes& file, const PhotoHeader& header) {
  Photo photo = blank_photo(header);
  Bytes levels(photo.rgba.size());
  Trouble trouble;
  const int many = decompress(file.data(), file.size(), header, levels.data(), trouble);
  if (many == 0) throw damaged(trouble.why[0] ? trouble.why : "its header is not that of its pixels");
  const std::size_t step = static_cast<std::size_t>(many);
  for (std::size_t i = 0; i < photo.rgba.size() / 4; ++i) {
    const std::uint8_t* from = &levels[i * step];
    for (std::size_t c = 0; c < 3; ++c) {
      photo.rgba[4 * i + c] = many == 4 ? of_inks(from[c], from[3]) : from[many == 1 ? 0 : c];
    }
  }
  return photo;
}

}  // namespace inner
}  // namespace deploy_target
