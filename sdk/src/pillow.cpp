// Pillow's resize of 8-bit images, to the bit: weights in whole numbers, one side at a time.
//
// In: uint8 [height, width, channels]. Out: the same at the new size. What is between the two sides
// is rounded, so that their order can be seen in the answer.
#include <algorithm>
#include <cmath>
#include <functional>

#include "image.hpp"
#include "taps.hpp"

namespace deploy_target {
namespace inner {

namespace {

// Bits of a weight after the point: with 8 of a level, a sum just fits into 32.
constexpr int BITS = 22;

// Of each new row its first old one, how many there are, and `many` weights as whole numbers.
struct Whole {
  std::size_t many;
  std::vector<std::size_t> first, count;
  std::vector<std::int32_t> weights;
};

// Whether Pillow begins with the height: "width" (up to 12.1) never, "12.2" where the image is over
// 100 times as tall as wide, "13" where it loses over twice as many rows as columns.
bool height_first(const std::string& passes, const Box& old, std::int64_t tall, std::int64_t wide) {
  const std::int64_t rows = old.height - tall, columns = old.width - wide;
  return rows > 0 &&
         ((passes == "12.2" && old.height > 100 * old.width) || (passes == "13" && rows > 2 * columns));
}

// The place is summed up, step by step, as there: multiplied, it would differ now and then.
Whole nearest_rows(std::size_t old, std::size_t made) {
  Whole by{1, {}, std::vector<std::size_t>(made, 1), std::vector<std::int32_t>(made, 1 << BITS)};
  const double step = static_cast<double>(old) / static_cast<double>(made);
  double place = step * 0.5;
  for (std::size_t i = 0; i < made; ++i, place += step)
    by.first.push_back(std::min(static_cast<std::size_t>(place), old - 1));
  return by;
}

std::int32_t fixed_point(double weight) {
  return static_cast<std::int32_t>(weight * (1 << BITS) + (weight < 0 ? -0.5 : 0.5));
}

Whole weights_over(std::size_t old, std::size_t made, double reach,
                   const std::function<double(double)>& weigh) {
  const double ratio = static_cast<double>(old) / static_cast<double>(made), spread = std::max(ratio, 1.0);
  const double support = reach * spread;
  Whole by{static_cast<std::size_t>(std::ceil(support)) * 2 + 1, {}, {}, {}};
  for (std::size_t i = 0; i < made; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio;
    const long begin = std::max(static_cast<long>(centre - support + 0.5), 0L);
    const long end = std::min(static_cast<long>(centre + support + 0.5), static_cast<long>(old));
    std::vector<double> own;
    double sum = 0;
    for (long x = begin; x < end; ++x) {
      own.push_back(weigh((static_cast<double>(x) - centre + 0.5) * (1 / spread)));
      sum += own.back();
    }
    by.first.push_back(static_cast<std::size_t>(begin));
    by.count.push_back(own.size());
    for (const double weight : own) by.weights.push_back(fixed_point(sum == 0 ? weight : weight / sum));
    by.weights.resize((i + 1) * by.many);
  }
  return by;
}

double bicubic(double away) {
  const double x = std::fabs(away), a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

Whole weights_of(std::int64_t before, std::int64_t after, const std::string& interpolation) {
  const std::size_t old = static_cast<std::size_t>(before), made = static_cast<std::size_t>(after);
  if (interpolation == "nearest") return nearest_rows(old, made);
  if (interpolation == "area")
    return weights_over(old, made, 0.5, [](double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; });
  if (interpolation == "bilinear")
    return weights_over(old, made, 1, [](double x) { return std::max(0.0, 1 - std::fabs(x)); });
  if (interpolation == "bicubic") return weights_over(old, made, 2, bicubic);
  throw std::invalid_argument("no interpolation is named \"" + interpolation + "\"");
}

std::uint8_t level_of(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(std::max(sum >> BITS, 0), 255));
}

// New rows of `inner` levels from old ones, in each of `outer` blocks.
Bytes resized(const std::uint8_t* data, std::size_t outer, std::size_t old, std::size_t inner,
              std::size_t made, const Whole& by) {
  Bytes pixels(outer * made * inner);
  std::vector<std::int32_t> sums(inner);
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < made; ++i) {
      std::fill(sums.begin(), sums.end(), 1 << (BITS - 1));
      for (std::size_t t = 0; t < by.count[i]; ++t) {
        const std::int32_t weight = by.weights[i * by.many + t];
        const std::uint8_t* from = data + (o * old + by.first[i] + t) * inner;
        for (std::size_t x = 0; x < inner; ++x) sums[x] += from[x] * weight;
      }
      for (std::size_t x = 0; x < inner; ++x) pixels[(o * made + i) * inner + x] = level_of(sums[x]);
    }
  }
  return pixels;
}

Tensor columns(const Tensor& image, std::int64_t wide, const std::string& interpolation) {
  const Box old = sides(image);
  if (old.width == wide) return image;
  return Tensor::of({old.height, wide, old.depth},
                    resized(image.data(), static_cast<std::size_t>(old.height),
                            static_cast<std::size_t>(old.width), static_cast<std::size_t>(old.depth),
                            static_cast<std::size_t>(wide), weights_of(old.width, wide, interpolation)));
}

Tensor rows(const Tensor& image, std::int64_t tall, const std::string& interpolation) {
  const Box old = sides(image);
  if (old.height == tall) return image;
  return Tensor::of({tall, old.width, old.depth},
                    resized(image.data(), 1, static_cast<std::size_t>(old.height),
                            static_cast<std::size_t>(old.width * old.depth), static_cast<std::size_t>(tall),
                            weights_of(old.height, tall, interpolation)));
}

}  // namespace

Tensor by_pillow(const Tensor& value, std::int64_t tall, std::int64_t wide, const std::string& interpolation,
                 const std::string& passes) {
  if (value.dtype() != DType::uint8)
    throw std::invalid_argument("Pillow's resize takes uint8, not " + value.said());
  if (!height_first(passes, sides(value), tall, wide))
    return rows(columns(value, wide, interpolation), tall, interpolation);
  return columns(rows(value, tall, interpolation), wide, interpolation);
}

}  // namespace inner
}  // namespace deploy_target
