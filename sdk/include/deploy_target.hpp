// One model of a bundle: tensors in, tensors out; or raw bytes in, and the answer in words.
//
// In: the files of a bundle that deploy-target made (deploy-target.json, steps.json where there are
// declared steps, golden.safetensors) and something that runs its artifact. Out: answers in the
// model's own names, layout and dtypes, and a verdict on them. Begin at `Model` and `OnnxRuntime`.
//
// C++17 as GCC 7 has it. A wrong name, shape or dtype in a call is a std::invalid_argument that
// names it and says what was expected; what is wrong with a file or with somebody's bytes is below.
#ifndef DEPLOY_TARGET_HPP
#define DEPLOY_TARGET_HPP

#include "deploy_target/errors.hpp"
#include "deploy_target/json.hpp"
#include "deploy_target/manifest.hpp"
#include "deploy_target/model.hpp"
#include "deploy_target/proof.hpp"
#include "deploy_target/tensor.hpp"

#ifndef DEPLOY_TARGET_WITHOUT_ONNXRUNTIME
#include "deploy_target/onnx_runtime.hpp"
#endif

#endif
