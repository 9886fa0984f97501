// Which old rows a new one is made of, and their weights, as torch has them, in float32.
#ifndef DEPLOY_TARGET_SRC_TAPS_HPP
#define DEPLOY_TARGET_SRC_TAPS_HPP

#include <string>
#include <vector>

#include "deploy_target/tensor.hpp"

namespace deploy_target {
namespace inner {

// Of each new row `many` old rows, and their weights.
struct Taps {
  std::size_t many;
  std::vector<std::size_t> places;
  std::vector<float> weights;
};

// From the old and the new number of rows. Another method is a function that gives them, and a line.
Taps taps(std::int64_t old, std::int64_t made, const std::string& interpolation,
          const std::string& antialias);

// Pillow's resize of 8-bit images, to the bit: see pillow.cpp.
Tensor by_pillow(const Tensor& value, std::int64_t tall, std::int64_t wide, const std::string& interpolation,
                 const std::string& passes);

}  // namespace inner
}  // namespace deploy_target

#endif
