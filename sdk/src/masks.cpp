// Masks: from scores of each pixel to the class of each pixel, on the photo as it was sent.
#include <algorithm>
#include <cmath>
#include <limits>

#include "layout.hpp"
#include "steps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Of a pixel: rounding must not decide where a centre lies on the border of two pixels.
constexpr double SLACK = 1e-6;

Shape without(Shape shape, std::size_t axis) {
  shape.erase(shape.begin() + static_cast<long>(axis));
  return shape;
}

std::vector<std::int64_t> nearest_places(std::int64_t count, double by, double offset, std::int64_t have,
                                         std::int64_t saw) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < count; ++i) {
    const double centre = ((static_cast<double>(i) + 0.5) * by + offset) *
                          (static_cast<double>(have) / static_cast<double>(saw));
    const double place = std::floor(centre + SLACK);
    places.push_back(
        static_cast<std::int64_t>(std::min(std::max(place, 0.0), static_cast<double>(have - 1))));
  }
  return places;
}

}  // namespace

// The class of the largest score along `axis`, uint8: of equal ones the lower, NaN never.
void argmax(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const std::vector<float> scores = given.floats();
  const Around around(given.shape(), options.whole("axis"));
  Bytes classes(around.outer * around.inner);
  std::vector<float> best(around.inner);
  for (std::size_t o = 0; o < around.outer; ++o) {
    std::fill(best.begin(), best.end(), -std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < around.along; ++i) {
      for (std::size_t n = 0; n < around.inner; ++n) {
        const float score = scores[(o * around.along + i) * around.inner + n];
        if (!(score > best[n])) continue;
        best[n] = score;
        classes[o * around.inner + n] = static_cast<std::uint8_t>(i);
      }
    }
  }
  tensors[of] = Tensor::of(without(given.shape(), around.at), std::move(classes));
}

// 1 where the only score along `axis` is above `at`, else 0; uint8.
void above(Tensors& tensors, const std::string& of, const Fields& options) {
  const Tensor given = named(tensors, of);
  const Around around(given.shape(), options.whole("axis"));
  if (around.along != 1) {
    throw std::invalid_argument("\"" + of + "\" has " + std::to_string(around.along) +
                                " scores of each pixel, not 1");
  }
  const float least = static_cast<float>(options.number("at"));
  Bytes mask;
  for (const float score : given.floats()) mask.push_back(score > least ? 1 : 0);
  tensors[of] = Tensor::of(without(given.shape(), around.at), std::move(mask));
}

// [1, h, w] of what the model saw -> [1, height, width] of the photo. A pixel takes the class at its
// own centre, on a border the later one; a pixel that the model did not see, that of the nearest that
// it saw. `size` is what the model saw, where the mask is of another size.
void resize_mask(Tensors& tensors, const std::string& of, const Frame& frame, const Fields& options) {
  const Tensor mask = named(tensors, of);
  const Shape& shape = mask.shape();
  if (shape.size() != 3)
    throw std::invalid_argument("a mask has three axes, not " + std::to_string(shape.size()));
  const Sides photo = frame.photo();
  const std::array<double, 4> placed = frame.placed();
  std::vector<std::int64_t> saw{shape[1], shape[2]};
  if (options.has("size")) saw = options.wholes("size");
  const std::vector<std::int64_t> rows =
      nearest_places(photo.height, placed[1], placed[3], shape[1], saw.at(0));
  const std::vector<std::int64_t> columns =
      nearest_places(photo.width, placed[0], placed[2], shape[2], saw.at(1));
  tensors[of] = gathered(mask, {shape[0], photo.height, photo.width}, [&](std::size_t i) {
    const std::size_t line = i / columns.size();
    const std::int64_t item = static_cast<std::int64_t>(line / rows.size());
    return (item * shape[1] + rows[line % rows.size()]) * shape[2] + columns[i % columns.size()];
  });
}

}  // namespace inner
}  // namespace deploy_target
