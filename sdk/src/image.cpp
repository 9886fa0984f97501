// From pixels to the model's tensor: crop, pad, exchange channels, scale, lay out.
//
// In: [height, width, channels], of whatever dtype the step before gave. A photo becomes pixels in
// decode_image.cpp, and is made larger or smaller in resize.cpp.
#include "image.hpp"

#include <algorithm>
#include <cstring>

#include "halves.hpp"
#include "layout.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Which of the old rows is the first of the new ones; below 0 where there are too few.
std::int64_t begin_of(std::int64_t ours, std::int64_t size) {
  const std::int64_t missing = std::max<std::int64_t>(0, size - ours);
  return static_cast<std::int64_t>(evenly(static_cast<double>(ours + missing - size) / 2)) - missing / 2;
}

// An image whose first row and column come to lie at a place on a ground; what does not fit is cut off.
Tensor placed(const Tensor& value, std::int64_t tall, std::int64_t wide, std::int64_t top, std::int64_t left,
              double ground) {
  const Box old = sides(value);
  const std::size_t pixel = static_cast<std::size_t>(old.depth) * size_of(value.dtype());
  const Shape shape{tall, wide, old.depth};
  Bytes made = Tensor::of(value.dtype(), shape, std::vector<double>(count_of(shape), ground)).bytes();
  const std::int64_t from = std::max<std::int64_t>(0, -left);
  const std::int64_t many = std::min(old.width, wide - left) - from;
  for (std::int64_t y = std::max<std::int64_t>(0, -top); many > 0 && y < std::min(old.height, tall - top);
       ++y) {
    const std::size_t to = static_cast<std::size_t>((y + top) * wide + from + left) * pixel;
    const std::size_t at = static_cast<std::size_t>(y * old.width + from) * pixel;
    std::memcpy(&made[to], value.data() + at, static_cast<std::size_t>(many) * pixel);
  }
  return Tensor(value.dtype(), shape, std::move(made));
}

std::vector<float> per_channel(const Fields& options, const std::string& name, std::size_t depth) {
  const std::vector<double> given = options.numbers(name);
  if (given.size() != 1 && given.size() != depth) {
    throw std::invalid_argument(name + " has " + std::to_string(given.size()) + " numbers, expected 1 or " +
                                std::to_string(depth));
  }
  std::vector<float> made(depth);
  for (std::size_t i = 0; i < depth; ++i) made[i] = static_cast<float>(given[given.size() == 1 ? 0 : i]);
  return made;
}

}  // namespace

Box sides(const Tensor& value) {
  const Shape& shape = value.shape();
  if (shape.size() != 3)
    throw std::invalid_argument("an image has three axes, not " + std::to_string(shape.size()));
  return {shape[0], shape[1], shape[2]};
}

// The middle of the image; where it is too small, zeros around it first.
Tensor crop(const Tensor& value, Frame& frame, const Fields& options) {
  const Box old = sides(value);
  const std::vector<std::int64_t> size = options.wholes("size");
  const std::int64_t top = begin_of(old.height, size.at(0)), left = begin_of(old.width, size.at(1));
  frame.moved(-left, -top);
  return placed(value, size[0], size[1], -top, -left, 0);
}

// The image on a larger ground, in its middle or in its top left corner. Throws Refused.
Tensor pad(const Tensor& value, Frame& frame, const Fields& options) {
  const Box old = sides(value);
  const std::vector<std::int64_t> to = options.wholes("to");
  if (to.at(0) < old.height || to.at(1) < old.width) {
    throw Refused("the image is " + std::to_string(old.width) + " x " + std::to_string(old.height) +
                      ", larger than " + std::to_string(to[1]) + " x " + std::to_string(to[0]),
                  413);
  }
  const bool centre = options.text("at") == "centre";
  const std::int64_t top = centre ? (to[0] - old.height) / 2 : 0, left = centre ? (to[1] - old.width) / 2 : 0;
  frame.moved(left, top);
  return placed(value, to[0], to[1], top, left, options.number("value"));
}

// The channels in another order: [2, 1, 0] is BGR.
Tensor channels(const Tensor& value, const Fields& options) {
  const Box old = sides(value);
  const std::vector<std::int64_t> order = options.wholes("order");
  for (const std::int64_t one : order) {
    if (one < 0 || one >= old.depth)
      throw std::invalid_argument("the image has no channel " + std::to_string(one));
  }
  const std::size_t many = order.size(), depth = static_cast<std::size_t>(old.depth);
  return gathered(value, {old.height, old.width, static_cast<std::int64_t>(many)}, [&](std::size_t i) {
    return i / many * depth + static_cast<std::size_t>(order[i % many]);
  });
}

// (value * by - mean) / std for each channel, in float32; then as `dtype`.
Tensor scale(const Tensor& value, const Fields& options) {
  const std::size_t depth = static_cast<std::size_t>(sides(value).depth);
  const float by = static_cast<float>(options.number("by"));
  const std::vector<float> mean = per_channel(options, "mean", depth),
                           std = per_channel(options, "std", depth);
  std::vector<float> made = value.floats();
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = (made[i] * by - mean[i % depth]) / std[i % depth];
  return Tensor::of(value.shape(), made).cast(dtype_named(options.text("dtype")));
}

// The axes as the model has them: "nchw", "nhwc", "chw" or "hwc"; n is 1.
Tensor layout(const Tensor& value, const Fields& options) {
  sides(value);
  const std::string order = options.text("order");
  const bool planes = order.size() >= 3 && order.compare(order.size() - 3, 3, "chw") == 0;
  const Tensor laid = planes ? permuted(value, Order({2, 0, 1})) : value;
  if (order.empty() || order[0] != 'n') return laid;
  Shape shape = laid.shape();
  shape.insert(shape.begin(), 1);
  return laid.reshaped(shape);
}

}  // namespace inner
}  // namespace deploy_target
