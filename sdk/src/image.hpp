// What the files about images share.
#ifndef DEPLOY_TARGET_SRC_IMAGE_HPP
#define DEPLOY_TARGET_SRC_IMAGE_HPP

#include "deploy_target/tensor.hpp"

namespace deploy_target {
namespace inner {

struct Box {
  std::int64_t height, width, depth;
};

// Height, width and channels. Throws std::invalid_argument for other than three axes.
Box sides(const Tensor& value);

}  // namespace inner
}  // namespace deploy_target

#endif
