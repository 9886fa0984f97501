// What can go wrong that is nobody's programming mistake.
#ifndef DEPLOY_TARGET_ERRORS_HPP
#define DEPLOY_TARGET_ERRORS_HPP

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace deploy_target {

using Bytes = std::vector<std::uint8_t>;
using Shape = std::vector<std::int64_t>;

// Raw input that cannot be taken: the sender's mistake, in words for the sender. `status` is the
// HTTP status that says the same: 413 too large, 415 another medium, 422 damaged.
class Refused : public std::runtime_error {
 public:
  explicit Refused(const std::string& why, int status = 422) : std::runtime_error(why), status(status) {}
  const int status;
};

// A file of the bundle is cut off, or is not what it should be.
class BundleDamaged : public std::runtime_error {
 public:
  explicit BundleDamaged(const std::string& why)
      : std::runtime_error(why + "; copy the bundle again whole") {}
};

// What runs the artifact could not be loaded, or did not answer.
class RuntimeFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deploy_target

#endif
