// A PNG with a palette, written here; and base64.
#ifndef DEPLOY_TARGET_SRC_PNG_HPP
#define DEPLOY_TARGET_SRC_PNG_HPP

#include <string>

#include "deploy_target/errors.hpp"

namespace deploy_target {
namespace inner {

using Colours = Bytes;  // red, green and blue of each

// The file; the values of its pixels are the classes.
Bytes png_of(const Bytes& pixels, std::int64_t height, std::int64_t width, const Colours& colours);

std::string base64(const Bytes& bytes);

}  // namespace inner
}  // namespace deploy_target

#endif
