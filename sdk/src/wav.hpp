// WAV: whole numbers of 8 to 32 bits, floats of 32 and 64, A-law and u-law, also as RF64 and in the
// extensible form. Another coding is refused with those that are taken.
#ifndef DEPLOY_TARGET_SRC_WAV_HPP
#define DEPLOY_TARGET_SRC_WAV_HPP

#include <string>
#include <vector>

#include "deploy_target/errors.hpp"

namespace deploy_target {
namespace inner {

// What a file declares: its rate, channels, and how many samples a channel has. Throws Refused.
class Wav {
 public:
  explicit Wav(const Bytes& file);

  std::int64_t rate = 0, channels = 0, told = 0;

  // All samples of a channel, in -1..1.
  std::vector<float> read(std::int64_t channel) const;

 private:
  void take_format(std::size_t at, std::uint64_t size);
  float sample(const std::uint8_t* at) const;
  std::string name(std::size_t at) const;

  const Bytes& file_;
  unsigned format_ = 0, bits_ = 0;
  std::size_t width_ = 0, start_ = 0;
};

}  // namespace inner
}  // namespace deploy_target

#endif
