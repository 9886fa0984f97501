// The answers of the original, and whether those of the artifact are as near as they must be.
#ifndef DEPLOY_TARGET_PROOF_HPP
#define DEPLOY_TARGET_PROOF_HPP

#include <string>
#include <vector>

#include "deploy_target/manifest.hpp"
#include "deploy_target/tensor.hpp"

namespace deploy_target {

// One question and what the original answers, in the artifact's terms; `noise` is how far it strays
// from itself.
struct GoldenCase {
  std::string golden, call, entry;
  Tensors inputs, expected, noise;
};

std::vector<GoldenCase> read_golden(const Bytes& file);  // by call; throws BundleDamaged

// `reason` is empty where everything is within its bound.
struct Distance {
  double relative_l2;
  std::string reason;
};

// How far one output is from the original's, both in the model's layout. `got` and `noise` may be
// null; `batch` is the axis of the batch, -1 for none.
Distance compared(const Tensor& want, const Tensor* got, const Tensor* noise, const Bound& bound,
                  int batch = -1, const std::string& kind = "plain");

struct Row {
  std::string call, output;
  bool passed;
  std::string reason;
  double relative_l2;
};

// The verdict on a case by the bounds in the manifest, a row for each output. Numbers alone are
// judged here; `deploy-target verify --actual` also asks whether a classifier's choice is the same.
std::vector<Row> judged(const Manifest& manifest, const GoldenCase& golden, const Tensors& answer,
                        const std::string& lane = "");

// Answers of this device, for `deploy-target verify --actual FILE`.
class Recording {
 public:
  Recording(const Manifest& manifest, const std::string& lane, const std::string& runtime,
            const std::string& device);
  void add(const GoldenCase& golden, const Tensors& outputs);
  Bytes write() const { return answers_.write(); }

 private:
  Safetensors answers_;
};

}  // namespace deploy_target

#endif
