// The first frame of a GIF, on its screen.
#include <array>

#include "photo.hpp"

namespace deploy_target {
namespace inner {

namespace {

struct Frame0 {
  std::size_t left, top, wide, tall;
  bool interlaced;
  Bytes palette;
  int clear;  // the index that is transparent, or -1
};

// Codes of growing length -> indices of a palette: as many as there should be.
class Lzw {
 public:
  Lzw(const Bytes& data, unsigned least) : data_(data), least_(least), wide_(least + 1) {}

  Bytes indices(std::size_t many) {
    Bytes made;
    const unsigned clear = 1u << least_;
    unsigned before = 0, first = 0, next = clear + 2;
    bool fresh = true;
    while (made.size() < many) {
      const unsigned code = read();
      if (code == clear) {
        next = clear + 2;
        wide_ = least_ + 1;
        fresh = true;
        continue;
      }
      if (code == clear + 1 || code > next || (fresh && code > clear)) break;
      if (code == next && fresh) break;
      std::size_t length = 0;
      unsigned at = code;
      if (code == next) {
        stack_[length++] = static_cast<std::uint8_t>(first);
        at = before;
      }
      for (; at > clear + 1; at = prefix_[at]) stack_[length++] = suffix_[at];
      first = at;
      stack_[length++] = static_cast<std::uint8_t>(at);
      if (!fresh && next < 4096) {
        prefix_[next] = static_cast<std::uint16_t>(before);
        suffix_[next] = static_cast<std::uint8_t>(first);
        ++next;
        if (next == 1u << wide_ && wide_ < 12) ++wide_;
      }
      while (length > 0) made.push_back(stack_[--length]);
      before = code;
      fresh = false;
    }
    if (made.size() < many) throw damaged("its pixels are cut off");
    made.resize(many);
    return made;
  }

 private:
  unsigned read() {
    while (bits_ < wide_) {
      if (at_ >= data_.size()) throw damaged("its pixels are cut off");
      value_ |= static_cast<std::uint32_t>(data_[at_++]) << bits_;
      bits_ += 8;
    }
    const unsigned code = value_ & ((1u << wide_) - 1);
    value_ >>= wide_;
    bits_ -= wide_;
    return code;
  }

  const Bytes& data_;
  unsigned least_, wide_, bits_ = 0;
  std::size_t at_ = 0;
  std::uint32_t value_ = 0;
  std::array<std::uint16_t, 4097> prefix_{};
  std::array<std::uint8_t, 4097> suffix_{};
  std::array<std::uint8_t, 4100> stack_{};
};

// Blocks of a length and so many bytes, up to an empty one; `at` comes to stand behind.
Bytes blocks(const Reader& file, std::size_t& at) {
  Bytes all;
  while (at < file.size() && file.byte(at) != 0) {
    const Bytes more = file.part(at + 1, at + 1 + file.byte(at));
    all.insert(all.end(), more.begin(), more.end());
    at += 1 + file.byte(at);
  }
  ++at;
  return all;
}

Bytes palette_at(const Reader& file, std::size_t& at, unsigned flags, const Bytes& other) {
  if (!(flags & 0x80)) return other;
  const std::size_t size = std::size_t(3) << ((flags & 7) + 1);
  Bytes found = file.part(at, at + size);
  at += size;
  found.resize(768);
  return found;
}

Frame0 frame_at(const Reader& file, std::size_t& at) {
  Bytes grey;
  for (int i = 0; i < 768; ++i) grey.push_back(static_cast<std::uint8_t>(i / 3));
  at = 13;
  const Bytes common = palette_at(file, at, file.byte(10), grey);
  int clear = -1;
  while (file.byte(at) == 0x21) {
    const unsigned kind = file.byte(at + 1);
    at += 2;
    const Bytes body = blocks(file, at);
    if (kind == 0xf9 && body.size() >= 4 && (body[0] & 1)) clear = body[3];
  }
  Frame0 frame{file.two(at + 1, false),
               file.two(at + 3, false),
               file.two(at + 5, false),
               file.two(at + 7, false),
               false,
               {},
               clear};
  const unsigned flags = file.byte(at + 9);
  frame.interlaced = (flags & 0x40) != 0;
  at += 10;
  frame.palette = palette_at(file, at, flags, common);
  return frame;
}

// The rows of a frame in the order in which they are written.
std::vector<std::size_t> rows_of(const Frame0& frame) {
  constexpr std::size_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  std::vector<std::size_t> rows;
  for (int pass = 0; pass < (frame.interlaced ? 4 : 1); ++pass) {
    for (std::size_t y = starts[pass]; y < frame.tall; y += frame.interlaced ? steps[pass] : 1)
      rows.push_back(y);
  }
  return rows;
}

}  // namespace

Photo gif_pixels(const Bytes& bytes, const PhotoHeader& header) {
  const Reader file(bytes);
  std::size_t at = 0;
  try {
    const Frame0 frame = frame_at(file, at);
    const unsigned least = file.byte(at++);
    if (least < 1 || least > 11) throw damaged("its codes have a length of " + std::to_string(least));
    const Bytes data = blocks(file, at);
    const Bytes indices = Lzw(data, least).indices(frame.wide * frame.tall);
    Photo photo = blank_photo(header);
    const std::size_t width = static_cast<std::size_t>(header.width);
    const auto put = [&](std::size_t pixel, std::size_t index) {
      for (std::size_t c = 0; c < 3; ++c) photo.rgba[4 * pixel + c] = frame.palette[3 * index + c];
      photo.rgba[4 * pixel + 3] = static_cast<int>(index) == frame.clear ? 0 : 255;
    };
    // Around the frame is what is transparent or, where nothing is, the first colour.
    for (std::size_t i = 0; i < photo.rgba.size() / 4; ++i)
      put(i, frame.clear < 0 ? 0 : static_cast<std::size_t>(frame.clear));
    std::size_t next = 0;
    for (const std::size_t y : rows_of(frame)) {
      for (std::size_t x = 0; x < frame.wide; ++x)
        put((frame.top + y) * width + frame.left + x, indices[next++]);
    }
    return photo;
  } catch (const std::out_of_range&) {
    throw damaged("its pixels are cut off");
  }
}

}  // namespace inner
}  // namespace deploy_target
