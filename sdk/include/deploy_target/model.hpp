// A model of a bundle: tensors in, tensors out; or raw bytes in, and the answer in words.
#ifndef DEPLOY_TARGET_MODEL_HPP
#define DEPLOY_TARGET_MODEL_HPP

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "deploy_target/json.hpp"
#include "deploy_target/manifest.hpp"
#include "deploy_target/tensor.hpp"

namespace deploy_target {

// What runs the artifact: the answer of an entry, in the artifact's names, layout and dtypes.
class Interpreter {
 public:
  virtual ~Interpreter() = default;
  virtual Tensors run(const std::string& entry, const Tensors& inputs) = 0;
};

// Pixels: a row after the other, four bytes each, colours not multiplied by alpha.
struct Photo {
  int width = 0, height = 0;
  Bytes rgba;
};

// Decodes the kinds of photos that this library does not (WEBP). Throws Refused.
using ImageDecoder = std::function<Photo(const Bytes& file, const std::string& kind)>;

// A user's own step, by its name: the tensor that it makes of another.
using OwnSteps = std::map<std::string, std::function<Tensor(const Tensor&)>>;

// One raw input: a file, a photo that is decoded already, or the tensor of an input without steps.
struct Raw {
  std::optional<Bytes> file;
  std::optional<Photo> photo;
  std::optional<Tensor> tensor;

  Raw(Bytes file) : file(std::move(file)) {}
  Raw(Photo photo) : photo(std::move(photo)) {}
  Raw(Tensor tensor) : tensor(std::move(tensor)) {}
};

class Model {
 public:
  // By the files of its bundle: deploy-target.json, and steps.json or nothing. Throws BundleDamaged.
  Model(const Bytes& manifest, const Bytes& steps, std::shared_ptr<Interpreter> interpreter,
        ImageDecoder decoder = nullptr, OwnSteps own = {});
  // By its folder. Throws std::runtime_error where a file cannot be read.
  static Model open(const std::string& bundle, std::shared_ptr<Interpreter> interpreter);
  ~Model();
  Model(Model&&) noexcept;

  const Manifest& manifest() const;
  bool has_steps() const;

  Tensors run(const Tensors& inputs);
  // The answer to raw inputs in words, by output. Throws Refused.
  Json predict(const std::map<std::string, Raw>& raw);
  Json predict(const Bytes& file);  // of the only input
  Json predict(const Photo& photo);
  // The same as tensors, and what golden.safetensors holds of a raw question.
  Tensors predict_tensors(const std::map<std::string, Raw>& raw);
  std::map<std::string, Raw> raws(const Tensors& inputs) const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace deploy_target

#endif
