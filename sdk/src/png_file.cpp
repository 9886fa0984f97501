#include "png_file.hpp"

#include <zlib.h>

#include <algorithm>

namespace deploy_target {
namespace inner {

namespace {

const std::string RAW_EXIF = "Raw profile type exif", XMP_KEY = "XML:com.adobe.xmp";

// More than a text that says which way up a photo is can need.
constexpr std::size_t MOST_TEXT = 1 << 20;

bool is_name(const std::string& text) {
  for (const char sign : text) {
    if (!((sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z'))) return false;
  }
  return true;
}

int digit_of(char sign) {
  if (sign >= '0' && sign <= '9') return sign - '0';
  const char small = static_cast<char>(sign | 32);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// As ImageMagick writes EXIF: a blank line, a name, a length, and digits in lines.
Bytes from_hex(const std::string& text) {
  std::size_t from = 0;
  for (int line = 0; line < 3 && from != std::string::npos; ++line) {
    from = text.find('\n', from);
    if (from != std::string::npos) ++from;
  }
  Bytes made;
  int high = -1;
  for (std::size_t at = from; from != std::string::npos && at < text.size(); ++at) {
    const int digit = digit_of(text[at]);
    if (digit < 0) continue;
    if (high >= 0) made.push_back(static_cast<std::uint8_t>(high << 4 | digit));
    high = high >= 0 ? -1 : digit;
  }
  return made;
}

}  // namespace

PngFile::PngFile(const Bytes& file) : bytes_(file), file_(file) {
  bool pixels = false;
  for (std::size_t at = 8; at + 8 <= file.size();) {
    const std::size_t end = at + 8 + file_.four(at);
    const std::string name = file_.text(at + 4, at + 8);
    pixels = pixels || name == "IDAT";
    // What is cut off after the pixels began may still have all that is needed of them.
    if (end + 4 > file.size() && !pixels) throw damaged("its header is cut off");
    if (!pixels && file_.four(end) != crc32(0, &file[at + 4], static_cast<uInt>(end - at - 4))) {
      throw damaged("the check sum of its " + (is_name(name) ? name : "header") + " is wrong");
    }
    chunks_.push_back({name, at + 8, std::min(end, file.size())});
    if (name == "IEND") break;
    at = end + 4;
  }
  if (chunks_.empty() || chunks_[0].name != "IHDR" || chunks_[0].to - chunks_[0].from < 13) {
    throw damaged("its header cannot be read");
  }
}

const Chunk* PngFile::find(const std::string& name, bool before) const {
  for (const Chunk& chunk : chunks_) {
    if (before && chunk.name == "IDAT") break;
    if (chunk.name == name) return &chunk;
  }
  return nullptr;
}

Bytes PngFile::pixels(std::size_t most) const {
  std::vector<Chunk> pieces;
  for (const Chunk& chunk : chunks_) {
    if (chunk.name == "IDAT") pieces.push_back(chunk);
  }
  return inflated(pieces, most);
}

Bytes PngFile::inflated(const std::vector<Chunk>& pieces, std::size_t most) const {
  Bytes made(most);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::runtime_error("zlib could not begin to unpack");
  stream.next_out = made.data();
  stream.avail_out = static_cast<uInt>(most);
  int state = Z_OK;
  for (const Chunk& piece : pieces) {
    stream.next_in = const_cast<Bytef*>(bytes_.data() + piece.from);
    stream.avail_in = static_cast<uInt>(piece.to > piece.from ? piece.to - piece.from : 0);
    // What is damaged ends here; whoever asked sees how far it came.
    while (state == Z_OK && stream.avail_in > 0 && stream.avail_out > 0) state = inflate(&stream, Z_NO_FLUSH);
  }
  made.resize(most - stream.avail_out);
  inflateEnd(&stream);
  return made;
}

// A text's keyword and the text; false for other chunks.
bool PngFile::worded(const Chunk& chunk, std::string& key, std::string& text) const {
  if (chunk.name != "tEXt" && chunk.name != "zTXt" && chunk.name != "iTXt") return false;
  const std::string all = file_.text(chunk.from, chunk.to);
  key = all.substr(0, all.find('\0'));
  if (key != RAW_EXIF && key != XMP_KEY) return false;
  std::size_t from = key.size() + 1;
  const bool packed = chunk.name == "zTXt" || (chunk.name == "iTXt" && from < all.size() && all[from] == 1);
  if (chunk.name == "zTXt") from += 1;
  if (chunk.name == "iTXt") {
    from += 2;
    for (int i = 0; i < 2; ++i) from = std::min(all.find('\0', from), all.size()) + 1;
  }
  from = std::min(from, all.size());
  text = all.substr(from);
  if (!packed) return true;
  const Bytes made = inflated({{chunk.name, chunk.from + from, chunk.to}}, MOST_TEXT);
  text.assign(made.begin(), made.end());
  return true;
}

int PngFile::orientation() const {
  Bytes exif;
  std::string xmp, key, text;
  for (const Chunk& chunk : chunks_) {
    if (!worded(chunk, key, text)) continue;
    if (key == XMP_KEY)
      xmp = text;
    else
      exif = from_hex(text);
  }
  if (const Chunk* own = find("eXIf", false)) exif = part(*own);
  return orientation_of(exif, xmp);
}

PhotoHeader png_header(const Bytes& bytes) {
  const PngFile file(bytes);
  const std::int64_t width = file.four(file.header().from), height = file.four(file.header().from + 4);
  if (std::max(width, height) > 0x7fffffff) throw damaged("its header cannot be read");
  return {"PNG", width, height, file.orientation()};
}

}  // namespace inner
}  // namespace deploy_target
