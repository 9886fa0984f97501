// Is an answer as near to the original's as the manifest allows?
//
// In: what the original answered, what came, and how far the original strays from itself. Out: how
// far it is, and why that is too far. The bounds are those by which the bundle was judged when it
// was built. Every comparison is written as "is within", so NaN fails.
#include <algorithm>
#include <cmath>

#include "near.hpp"

namespace deploy_target {

namespace {

using inner::Numbers;

// How many more elements may jump than the original's own did, and how many where none did.
constexpr double JUMPS = 8, SURE = 2;

// Sets of more boxes are compared in their order.
constexpr std::int64_t MOST_BOXES = 1000;

Distance failed(const std::string& reason) { return {std::nan(""), reason}; }

Distance exactly(const Tensor& want, const Tensor& got, const Tensor* noise, const Bound& bound) {
  std::size_t wrong = 0, unsure = 0;
  const auto count = [&](const auto& w, const auto& g) {
    for (std::size_t i = 0; i < w.size(); ++i) wrong += w[i] == g[i] ? 0 : 1;
  };
  // An artifact may hold in 32 bits what the original holds in 64.
  if (is_float(got.dtype()))
    count(want.doubles(), got.doubles());
  else
    count(want.longs(), got.longs());
  if (noise) {
    for (const double one : noise->doubles()) unsure += one == 0 ? 0 : 1;
  }
  const double size = static_cast<double>(want.count());
  const double few = std::min(std::ceil(bound.jumps * size), std::min(SURE, std::floor(size / 2)));
  const double most = unsure > 0 ? std::min(size, JUMPS * static_cast<double>(unsure)) : few;
  if (static_cast<double>(wrong) <= most) return {0, ""};
  return {0, std::to_string(wrong) + " of " + std::to_string(want.count()) + " elements differ, allowed " +
                 std::to_string(static_cast<long>(most))};
}

bool is_set(const Shape& shape, int batch, const std::string& kind) {
  if (kind != "detection" || shape.size() < 2) return false;
  const std::size_t rows = shape.size() - 2;
  return shape[rows + 1] > 4 && shape[rows] <= MOST_BOXES && batch != static_cast<int>(rows);
}

double row_gap(const double* a, const double* b, std::size_t wide) {
  double sum = 0;
  for (std::size_t i = 0; i < wide; ++i) sum += inner::gap(a[i], b[i]);
  return sum;
}

// Boxes in the order of the original's: each the nearest that is left.
Numbers arranged(const Shape& shape, const Numbers& w, const Numbers& g) {
  const std::size_t wide = static_cast<std::size_t>(shape.back());
  const std::size_t rows = static_cast<std::size_t>(shape[shape.size() - 2]);
  Numbers made(g.size());
  for (std::size_t start = 0; start < w.size(); start += rows * wide) {
    std::vector<std::size_t> left;
    for (std::size_t row = 0; row < rows; ++row) left.push_back(start + row * wide);
    for (std::size_t at = start; at < start + rows * wide; at += wide) {
      std::size_t best = 0;
      double least = row_gap(&w[at], &g[left[0]], wide);
      for (std::size_t i = 1; i < left.size(); ++i) {
        const double other = row_gap(&w[at], &g[left[i]], wide);
        if (other < least) {
          best = i;
          least = other;
        }
      }
      std::copy_n(&g[left[best]], wide, &made[at]);
      left.erase(left.begin() + static_cast<long>(best));
    }
  }
  return made;
}

}  // namespace

Distance compared(const Tensor& want, const Tensor* got, const Tensor* noise, const Bound& bound, int batch,
                  const std::string& kind) {
  if (!got) return failed("it is missing");
  if (want.shape() != got->shape()) {
    return failed("its shape is " + said(got->shape()) + ", expected " + said(want.shape()));
  }
  if (noise && noise->shape() != want.shape()) {
    return failed("the noise has shape " + said(noise->shape()) + ", expected " + said(want.shape()));
  }
  if (!is_float(want.dtype())) return exactly(want, *got, noise, bound);
  const Numbers w = want.doubles(), g = got->doubles();
  const inner::Near near(want, w, noise, bound, batch);
  const Distance found = near.distance(g);
  if (found.reason.empty() || !is_set(want.shape(), batch, kind)) return found;
  return near.distance(arranged(want.shape(), w, g));
}

}  // namespace deploy_target
