// An image of another size, by the arithmetic of Pillow or of torch.
//
// In: [height, width, channels], levels 0..255. Out: the same at the new size, uint8 where Pillow is
// the convention ("pil", in pillow.cpp) and float32, not rounded, where torch is ("torch" averages
// over what a pixel covers, "none" only looks at its neighbours; weights in taps.cpp).
#include <algorithm>

#include "image.hpp"
#include "steps.hpp"
#include "taps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Height and width afterwards. The side that follows is rounded down, but never to nothing.
Sides new_size(const Box& old, const Fields& options) {
  if (options.has("to")) {
    const std::vector<std::int64_t> to = options.wholes("to");
    return {to.at(0), to.at(1)};
  }
  const bool shorter = options.has("shorter");
  const std::int64_t side = options.whole(shorter ? "shorter" : "longer");
  const std::int64_t against = shorter ? std::min(old.height, old.width) : std::max(old.height, old.width);
  return {std::max<std::int64_t>(1, side * old.height / against),
          std::max<std::int64_t>(1, side * old.width / against)};
}

// New rows of `inner` numbers from old ones. Sums are float64, and float32 once done.
template <class Given>
std::vector<float> weighed(const Given* given, std::size_t outer, std::size_t old, std::size_t inner,
                           const Taps& taps) {
  const std::size_t made = taps.places.size() / taps.many;
  std::vector<float> data(outer * made * inner);
  std::vector<double> sums(inner);
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < made; ++i) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t t = i * taps.many; t < (i + 1) * taps.many; ++t) {
        const double weight = taps.weights[t];
        const Given* from = given + (o * old + taps.places[t]) * inner;
        for (std::size_t n = 0; weight != 0 && n < inner; ++n)
          sums[n] += weight * static_cast<double>(from[n]);
      }
      for (std::size_t n = 0; n < inner; ++n) data[(o * made + i) * inner + n] = static_cast<float>(sums[n]);
    }
  }
  return data;
}

std::vector<float> rows_of(const Tensor& value, const Box& old, const Taps& taps) {
  const std::size_t height = static_cast<std::size_t>(old.height),
                    line = static_cast<std::size_t>(old.width * old.depth);
  // A whole photo in float32 would be four times as large.
  if (value.dtype() == DType::uint8) return weighed(value.data(), 1, height, line, taps);
  return weighed(value.floats().data(), 1, height, line, taps);
}

}  // namespace

Tensor resize(const Tensor& value, Frame& frame, const Fields& options) {
  const Box old = sides(value);
  const Sides size = new_size(old, options);
  // Edges map to edges, and so every offset so far is stretched with the image.
  const double across = static_cast<double>(size.width) / static_cast<double>(old.width);
  const double down = static_cast<double>(size.height) / static_cast<double>(old.height);
  const std::array<double, 4> was = frame.placed();
  frame.to_model = std::array<double, 4>{{was[0] * across, was[1] * down, was[2] * across, was[3] * down}};
  const std::string interpolation = options.text("interpolation"), antialias = options.text("antialias");
  if (antialias == "pil")
    return by_pillow(value, size.height, size.width, interpolation, options.text("passes", "width"));
  const std::vector<float> rows =
      rows_of(value, old, taps(old.height, size.height, interpolation, antialias));
  const std::vector<float> made =
      weighed(rows.data(), static_cast<std::size_t>(size.height), static_cast<std::size_t>(old.width),
              static_cast<std::size_t>(old.depth), taps(old.width, size.width, interpolation, antialias));
  return Tensor::of(Shape{size.height, size.width, old.depth}, made);
}

}  // namespace inner
}  // namespace deploy_target
