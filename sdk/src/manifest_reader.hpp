// What a manifest and steps.json both hold.
#ifndef DEPLOY_TARGET_SRC_MANIFEST_READER_HPP
#define DEPLOY_TARGET_SRC_MANIFEST_READER_HPP

#include "deploy_target/manifest.hpp"
#include "fields.hpp"

namespace deploy_target {
namespace inner {

Spec spec_of(const Fields& said);

}  // namespace inner
}  // namespace deploy_target

#endif
