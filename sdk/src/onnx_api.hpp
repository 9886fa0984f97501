// ONNX Runtime's C API as C++ wants it: errors that are thrown, things that are given back.
//
// It is the same from one version to the next: a program that was compiled with one header runs with
// older and newer libraries.
#ifndef DEPLOY_TARGET_SRC_ONNX_API_HPP
#define DEPLOY_TARGET_SRC_ONNX_API_HPP

#include <onnxruntime_c_api.h>

#include <memory>
#include <string>

#include "deploy_target/onnx_runtime.hpp"

namespace deploy_target {
namespace inner {

struct Library {
  const OrtApi* api;
  int minor;  // of version 1.MINOR
  std::string version;
};

// Throws RuntimeFailed where the library is too old.
const Library& library();

inline const OrtApi& api() { return *library().api; }

// Throws RuntimeFailed with what the library says.
void check(OrtStatus* status);

// Something of the library's that is given back to it.
template <class One>
using Held = std::unique_ptr<One, void (*)(One*)>;

template <class One, class Make>
Held<One> held(void (*release)(One*), Make make) {
  One* one = nullptr;
  check(make(&one));
  return Held<One>(one, release);
}

// Puts a provider into a session that is to be. Throws RuntimeFailed where the machine has none.
void append(OrtSessionOptions* session, const Provider& provider);

}  // namespace inner
}  // namespace deploy_target

#endif
