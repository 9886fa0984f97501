// A PNG's chunks: what stands before and after its pixels.
#ifndef DEPLOY_TARGET_SRC_PNG_FILE_HPP
#define DEPLOY_TARGET_SRC_PNG_FILE_HPP

#include "photo.hpp"

namespace deploy_target {
namespace inner {

struct Chunk {
  std::string name;
  std::size_t from, to;
};

class PngFile {
 public:
  // Throws Refused, or std::out_of_range where the header breaks off. A chunk before the pixels whose
  // check sum is wrong makes the file damaged.
  explicit PngFile(const Bytes& file);

  const Chunk& header() const { return chunks_[0]; }
  // The first chunk of that name; before the pixels alone, or anywhere. Null where there is none.
  const Chunk* find(const std::string& name, bool before) const;
  Bytes part(const Chunk& chunk) const { return file_.part(chunk.from, chunk.to); }
  // The pixels, unpacked: at most so many bytes, and as many as could be.
  Bytes pixels(std::size_t most) const;
  int orientation() const;
  unsigned byte(std::size_t at) const { return file_.byte(at); }
  std::uint32_t four(std::size_t at) const { return file_.four(at); }

 private:
  Bytes inflated(const std::vector<Chunk>& pieces, std::size_t most) const;
  bool worded(const Chunk& chunk, std::string& key, std::string& text) const;

  const Bytes& bytes_;
  Reader file_;
  std::vector<Chunk> chunks_;
};

}  // namespace inner
}  // namespace deploy_target

#endif
