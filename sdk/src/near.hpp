// One output of floats, measured against its noise.
#ifndef DEPLOY_TARGET_SRC_NEAR_HPP
#define DEPLOY_TARGET_SRC_NEAR_HPP

#include <vector>

#include "deploy_target/proof.hpp"

namespace deploy_target {
namespace inner {

using Numbers = std::vector<double>;

class Near {
 public:
  Near(const Tensor& want, Numbers values, const Tensor* noise, const Bound& bound, int batch);

  // How far other numbers of that shape are.
  Distance distance(const Numbers& got) const;

 private:
  std::vector<bool> jumping(const Numbers& apart, const Numbers& ratio) const;
  double worst_slice(const Numbers& apart) const;

  Shape shape_;
  Numbers w_, sigma_;
  Bound bound_;
};

// |a - b|; zero for equal infinities, and for NaN in both.
double gap(double a, double b);

}  // namespace inner
}  // namespace deploy_target

#endif
