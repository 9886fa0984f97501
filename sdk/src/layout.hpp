// Tensors laid out otherwise: axes in another order, rows taken out, pieces put together.
#ifndef DEPLOY_TARGET_SRC_LAYOUT_HPP
#define DEPLOY_TARGET_SRC_LAYOUT_HPP

#include <cstring>

#include "deploy_target/manifest.hpp"
#include "deploy_target/tensor.hpp"

namespace deploy_target {
namespace inner {

// A shape as a loop along one axis sees it: element (o, i, n) is at (o * along + i) * inner + n. An
// axis below 0 is counted from the end.
struct Around {
  Around(const Shape& shape, std::int64_t axis);
  std::size_t at, along, outer, inner;
};

// A tensor of that shape whose element i is the given one's at from(i), asked for in order.
template <class From>
Tensor gathered(const Tensor& tensor, Shape shape, From from) {
  const std::size_t size = size_of(tensor.dtype()), count = count_of(shape);
  const std::uint8_t* old = tensor.data();
  Bytes made(count * size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = static_cast<std::size_t>(from(i));
    switch (size) {
      case 1: made[i] = old[at]; break;
      case 2: std::memcpy(&made[2 * i], old + 2 * at, 2); break;
      case 4: std::memcpy(&made[4 * i], old + 4 * at, 4); break;
      default: std::memcpy(&made[8 * i], old + 8 * at, 8);
    }
  }
  return Tensor(tensor.dtype(), std::move(shape), std::move(made));
}

// Its axes in another order, as numpy's transpose.
Tensor permuted(const Tensor& tensor, const Order& axes);

// A tensor of that shape whose neighbours along each axis lie so many elements apart in the given.
Tensor walked(const Tensor& tensor, const Shape& shape, const Shape& strides);

// How many elements lie between two neighbours along an axis.
std::int64_t stride_of(const Shape& shape, std::size_t axis);

// The order of axes that undoes another.
Order inverse(const Order& axes);

// Rows along an axis (-1: all of it); where that is a product, a row is several elements wide.
// `whole`: how many there are.
Tensor taken(const Tensor& tensor, int axis, std::size_t whole, const std::vector<std::size_t>& rows);

// Pieces one after the other along an axis.
Tensor joined(const std::vector<Tensor>& pieces, std::size_t axis);

}  // namespace inner
}  // namespace deploy_target

#endif
