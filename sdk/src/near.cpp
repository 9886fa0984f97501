#include "near.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "halves.hpp"
#include "layout.hpp"

namespace deploy_target {
namespace inner {

namespace {

// The smallest normal float32: some runtimes flush to zero what is smaller.
constexpr double TINY = std::numeric_limits<float>::min();

// Slices of fewer elements are left to the measure by element.
constexpr std::size_t FEW = 8;

double square(double value) { return value * value; }

double quotient(double error, double size) { return error == 0 ? 0 : error / size; }

// The largest; NaN where any is.
double worst(const Numbers& values) {
  double most = 0;
  for (const double one : values) most = larger(most, one);
  return most;
}

// The worst of all elements that were not left out; where nothing else is wrong, the first element
// counts even if it was: one must be right.
double worst_kept(const Numbers& ratio, const std::vector<bool>& out) {
  std::size_t found = 0;
  const auto kept = [&](std::size_t i) { return out[i] ? 0 : ratio[i]; };
  for (std::size_t i = 0; i < ratio.size(); ++i) {
    if (kept(i) > kept(found) || (std::isnan(kept(i)) && !std::isnan(kept(found)))) found = i;
  }
  return ratio.empty() ? 0 : ratio[found];
}

double norm(const Numbers& values) {
  double most = 0, sum = 0;
  for (const double one : values) most = larger(most, std::fabs(one));
  if (!(most > 0 && std::isfinite(most))) return most;
  for (const double one : values) sum += square(one / most);
  return most * std::sqrt(sum);
}

// The sum of each slice along an axis.
Numbers slices(const Around& around, const Numbers& values) {
  Numbers sums(around.along);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i / around.inner % around.along] += values[i];
  return sums;
}

// For each element the mean of the slice that it lies in, along an axis; of all where that is -1.
Numbers means(const Shape& shape, const Numbers& values, int axis) {
  const double count = static_cast<double>(values.size());
  if (axis < 0) {
    double sum = 0;
    for (const double one : values) sum += one;
    return Numbers(values.size(), sum / count);
  }
  const Around around(shape, axis);
  const Numbers sums = slices(around, values);
  Numbers made(values.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i] = sums[i / around.inner % around.along] * static_cast<double>(around.along) / count;
  }
  return made;
}

// By which an error is granted: the size of an element's row or, where that is less, of its column,
// but never next to none.
Numbers scales(const Shape& shape, const Numbers& w, int batch) {
  Numbers squares(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) squares[i] = std::isfinite(w[i]) ? square(w[i]) : 0;
  Numbers made = shape.empty() ? squares : means(shape, squares, batch);
  for (double& one : made) one = std::sqrt(one);
  if (shape.size() < 2) return made;
  const Numbers columns = means(shape, squares, static_cast<int>(shape.size()) - 1);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i] = std::min(made[i], std::max(std::sqrt(columns[i]), 1e-3 * made[i]));
  }
  return made;
}

}  // namespace

double gap(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)) ? 0 : std::fabs(a - b); }

Near::Near(const Tensor& want, Numbers values, const Tensor* noise, const Bound& bound, int batch)
    : shape_(want.shape()), w_(std::move(values)), sigma_(w_.size()), bound_(bound) {
  const double eps = want.dtype() == DType::float64   ? std::numeric_limits<double>::epsilon()
                     : want.dtype() == DType::float16 ? std::ldexp(1, -10)
                                                      : std::numeric_limits<float>::epsilon();
  const double granted = bound.whole > 0 ? bound.budget / bound.whole : 0;
  const Numbers own = noise ? noise->doubles() : Numbers();
  const Numbers scale = granted > 0 ? scales(shape_, w_, batch) : Numbers();
  for (std::size_t i = 0; i < w_.size(); ++i) {
    // The larger of the two; noise that is no number stays none.
    const double rounding = std::max(std::isfinite(w_[i]) ? std::fabs(w_[i]) * eps : 0.0, TINY);
    const double base = noise ? larger(rounding, own[i]) : rounding;
    sigma_[i] = granted > 0 ? std::hypot(base, granted * scale[i]) : base;
  }
}

Distance Near::distance(const Numbers& got) const {
  const std::size_t count = w_.size();
  Numbers apart(count), ratio(count), left(count), finite(count);
  for (std::size_t i = 0; i < count; ++i) {
    apart[i] = gap(w_[i], got[i]);
    ratio[i] = apart[i] / sigma_[i];
  }
  const std::vector<bool> out = jumping(apart, ratio);
  const double element = worst_kept(ratio, out);
  for (std::size_t i = 0; i < count; ++i) {
    if (out[i]) apart[i] = 0;
    left[i] = apart[i] <= TINY ? 0 : apart[i];
    finite[i] = std::isfinite(w_[i]) ? w_[i] : 0;
  }
  const double relative_l2 = quotient(norm(left), norm(finite));
  struct Measure {
    const char* name;
    double found, allowed;
  };
  const Measure measures[] = {
      {"relative L2", relative_l2, bound_.relative_l2},
      {"error over noise", quotient(norm(apart), norm(sigma_)), bound_.whole},
      {"error over noise in a slice", worst_slice(apart), bound_.part},
      {"error over noise in an element", element, bound_.element},
  };
  for (const Measure& one : measures) {
    if (one.found <= one.allowed) continue;
    char text[120];
    std::snprintf(text, sizeof text, "%s %.2e, allowed %.2e", one.name, one.found, one.allowed);
    return {relative_l2, text};
  }
  return {relative_l2, ""};
}

// The elements that may be left out: those that stray most, as many as may jump as far.
std::vector<bool> Near::jumping(const Numbers& apart, const Numbers& ratio) const {
  std::vector<bool> out(w_.size());
  const double most = std::ceil(bound_.jumps * static_cast<double>(w_.size()));
  if (!(most > 0)) return out;
  std::vector<std::size_t> may;
  for (std::size_t i = 0; i < w_.size(); ++i) {
    if (ratio[i] > bound_.element && apart[i] <= bound_.jump) may.push_back(i);
  }
  std::stable_sort(may.begin(), may.end(), [&](std::size_t a, std::size_t b) { return ratio[a] > ratio[b]; });
  for (std::size_t i = 0; i < may.size() && static_cast<double>(i) < most; ++i) out[may[i]] = true;
  return out;
}

// The largest ratio of root mean squares in any slice along any axis.
double Near::worst_slice(const Numbers& apart) const {
  // Squares of what is tiny would vanish, and of what is huge overflow.
  const double scale = worst(sigma_);
  Numbers error(apart.size()), own(apart.size());
  for (std::size_t i = 0; i < apart.size(); ++i) {
    error[i] = square(apart[i] / scale);
    own[i] = square(sigma_[i] / scale);
  }
  double found = 0;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    const std::size_t along = static_cast<std::size_t>(shape_[axis]);
    if (along <= 1 || apart.size() / along < FEW) continue;
    const Around around(shape_, static_cast<std::int64_t>(axis));
    const Numbers errors = slices(around, error), noise = slices(around, own);
    for (std::size_t i = 0; i < along; ++i) {
      found = larger(found, std::sqrt(errors[i] / larger(noise[i], std::numeric_limits<double>::min())));
    }
  }
  return found;
}

}  // namespace inner
}  // namespace deploy_target
