// ONNX Runtime, by its C API.
#ifndef DEPLOY_TARGET_ONNX_RUNTIME_HPP
#define DEPLOY_TARGET_ONNX_RUNTIME_HPP

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deploy_target/model.hpp"

namespace deploy_target {

// An execution provider by name ("TensorrtExecutionProvider", "CUDAExecutionProvider",
// "CPUExecutionProvider", "XnnpackExecutionProvider", ...) and its own options.
struct Provider {
  std::string name;
  std::map<std::string, std::string> options;
};

// Runs an .onnx file with the first providers that this machine has, in their order; the CPU is
// always last. Throws RuntimeFailed.
class OnnxRuntime : public Interpreter {
 public:
  struct Options {
    std::vector<Provider> providers;
    int threads = 0;     // 0: as many as ONNX Runtime wants
    bool watch = false;  // profile the first answer, so that `ran_on` is known
  };

  OnnxRuntime(const std::string& file, const Options& options);
  explicit OnnxRuntime(const std::string& file) : OnnxRuntime(file, Options()) {}
  ~OnnxRuntime() override;

  Tensors run(const std::string& entry, const Tensors& inputs) override;

  std::string version() const;                      // "ONNX Runtime 1.23.2"
  const std::vector<std::string>& taken() const;    // providers that were put into the session
  const std::vector<std::string>& refused() const;  // "NAME: WHY" of those that were not
  // How many operators each provider really ran in the first answer; empty unless `watch`.
  const std::map<std::string, int>& ran_on() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace deploy_target

#endif
