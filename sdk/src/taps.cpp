#include "taps.hpp"

#include <algorithm>
#include <cmath>

namespace deploy_target {
namespace inner {

namespace {

using Long = std::int64_t;

float as_float(Long value) { return static_cast<float>(value); }

std::size_t within(Long place, Long old) {
  return static_cast<std::size_t>(std::min(std::max<Long>(place, 0), old - 1));
}

Taps nearest_row(Long old, Long made) {
  const float ratio = as_float(old) / as_float(made);
  Taps taps{1, {}, std::vector<float>(static_cast<std::size_t>(made), 1)};
  for (Long i = 0; i < made; ++i) taps.places.push_back(within(static_cast<Long>(as_float(i) * ratio), old));
  return taps;
}

// Taps from spans of rows of unequal length; the weights of each new row sum to 1.
template <class First, class End, class Weigh>
Taps spans(Long old, Long made, First first, End end, Weigh weigh) {
  Long many = 0;
  for (Long i = 0; i < made; ++i) many = std::max(many, end(i) - first(i));
  Taps taps{static_cast<std::size_t>(many), {}, {}};
  for (Long i = 0; i < made; ++i) {
    double sum = 0;
    for (Long t = 0; t < many; ++t) {
      const Long row = first(i) + t;
      const float weight = row < end(i) ? weigh(row, i) : 0;
      taps.places.push_back(within(row, old));
      taps.weights.push_back(weight);
      sum += weight;
    }
    for (std::size_t t = taps.weights.size() - taps.many; t < taps.weights.size(); ++t)
      taps.weights[t] /= static_cast<float>(sum);
  }
  return taps;
}

// The mean of all old rows that a new one touches, each counted in full.
Taps area(Long old, Long made) {
  return spans(
      old, made, [&](Long i) { return i * old / made; },
      [&](Long i) { return ((i + 1) * old + made - 1) / made; }, [](Long, Long) { return 1.0f; });
}

float kernel(float away, const std::string& interpolation, float a) {
  const float x = std::fabs(away);
  if (interpolation == "bilinear") return std::max(1 - x, 0.0f);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

Taps antialiased(Long old, Long made, const std::string& interpolation) {
  const float ratio = as_float(old) / as_float(made), spread = std::max(ratio, 1.0f);
  const float support = (interpolation == "bilinear" ? 1.0f : 2.0f) * spread, inverse = 1 / spread;
  const auto centre = [&](Long i) { return ratio * (as_float(i) + 0.5f); };
  return spans(
      old, made,
      [&](Long i) { return static_cast<Long>(std::max(std::floor(centre(i) - support + 0.5f), 0.0f)); },
      [&](Long i) { return std::min(static_cast<Long>(std::floor(centre(i) + support + 0.5f)), old); },
      [&](Long row, Long i) {
        return kernel((as_float(row) - centre(i) + 0.5f) * inverse, interpolation, -0.5f);
      });
}

// Where the centre of a new row lies, in old rows: rounded once, at the end.
float centre_of(Long i, Long old, Long made) {
  return static_cast<float>(
      static_cast<double>(as_float(old) / as_float(made)) * (static_cast<double>(i) + 0.5) - 0.5);
}

Taps linear(Long old, Long made) {
  Taps taps{2, {}, {}};
  for (Long i = 0; i < made; ++i) {
    const float place = std::max(centre_of(i, old, made), 0.0f);
    const Long first = std::min(static_cast<Long>(place), old - 1);
    const float share = std::min(std::max(place - as_float(first), 0.0f), 1.0f);
    taps.places.push_back(static_cast<std::size_t>(first));
    taps.places.push_back(within(first + 1, old));
    taps.weights.push_back(1 - share);
    taps.weights.push_back(share);
  }
  return taps;
}

Taps cubic(Long old, Long made) {
  Taps taps{4, {}, {}};
  for (Long i = 0; i < made; ++i) {
    const float place = centre_of(i, old, made), first = std::floor(place);
    for (int t = 0; t < 4; ++t) {
      taps.places.push_back(within(static_cast<Long>(first) + t - 1, old));
      taps.weights.push_back(kernel(place - first - static_cast<float>(t - 1), "bicubic", -0.75f));
    }
  }
  return taps;
}

}  // namespace

Taps taps(Long old, Long made, const std::string& interpolation, const std::string& antialias) {
  if (interpolation == "nearest") return nearest_row(old, made);
  if (interpolation == "area") return area(old, made);
  if (antialias == "torch") return antialiased(old, made, interpolation);
  if (interpolation == "bilinear") return linear(old, made);
  if (interpolation == "bicubic") return cubic(old, made);
  throw std::invalid_argument("no interpolation is named \"" + interpolation + "\"");
}

}  // namespace inner
}  // namespace deploy_target
