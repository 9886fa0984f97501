// The order of some scores: largest first, of equal ones the lower index; what is no number last.
#ifndef DEPLOY_TARGET_SRC_ORDERED_HPP
#define DEPLOY_TARGET_SRC_ORDERED_HPP

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace deploy_target {
namespace inner {

template <class Score>
std::vector<std::size_t> ordered(std::size_t count, Score score) {
  std::vector<double> worth(count);
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double one = static_cast<double>(score(i));
    worth[i] = std::isnan(one) ? -std::numeric_limits<double>::infinity() : one;
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
  return order;
}

}  // namespace inner
}  // namespace deploy_target

#endif
