// What the files about recordings share.
#ifndef DEPLOY_TARGET_SRC_AUDIO_HPP
#define DEPLOY_TARGET_SRC_AUDIO_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "near.hpp"

namespace deploy_target {
namespace inner {

// Samples of one row with more around them; "reflect" does not repeat the edge, "constant" is silence.
Numbers padded(const double* x, std::size_t size, std::size_t before, std::size_t after,
               const std::string& mode);

// The Fourier transform of real samples of any length, in float64. A power of two is split in halves;
// any other length is written as a convolution (Bluestein), which is of a power of two. Made once for
// a size, then asked for each frame: `re` and `im` hold the bins 0 to size / 2 afterwards.
class Fourier {
 public:
  explicit Fourier(std::size_t size);
  void transform(const Numbers& samples);
  Numbers re, im;

 private:
  void halved(Numbers& real, Numbers& imaginary) const;
  void convolved(const Numbers& samples);

  std::size_t size_, long_;
  Numbers cosine_, sine_;              // of the halves
  std::vector<std::size_t> reversed_;  // for each place the one with its bits in reverse
  Numbers chirp_cosine_, chirp_sine_, filter_re_, filter_im_;
};

}  // namespace inner
}  // namespace deploy_target

#endif
