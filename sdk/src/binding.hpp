// The model's terms <-> the artifact's, as the build wrote them down in the manifest.
//
// In: tensors in the model's names and layout. Out: the calls that ask them of the artifact, and its
// answers back in the model's. Names, permutations, casts, and a batch that is split or filled up
// where an entry takes only so many at once.
#ifndef DEPLOY_TARGET_SRC_BINDING_HPP
#define DEPLOY_TARGET_SRC_BINDING_HPP

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deploy_target/manifest.hpp"

namespace deploy_target {
namespace inner {

using Rows = std::vector<std::size_t>;
using Sizes = std::map<std::string, std::int64_t>;

// A call of one entry: rows of the batch, nothing for all; of its answer the first `kept` count.
struct Call {
  const Entry* entry;
  std::optional<Rows> rows;
  std::size_t kept;
  Tensors feeds;
};

class Binding {
 public:
  Binding(Signature signature, std::vector<Entry> entries)
      : signature_(std::move(signature)), entries_(std::move(entries)) {}

  // The calls that ask these tensors. Throws std::invalid_argument where no entry takes them.
  std::vector<Call> calls(const Tensors& tensors) const;

  // The answers to all calls as one, in the model's terms.
  Tensors answer(const std::vector<Call>& calls, const std::vector<Tensors>& answers) const;

 private:
  std::vector<Call> plan(const Tensors& tensors, const Sizes& sizes) const;
  Sizes fixed_sizes(const Entry& entry) const;
  std::string all_taken() const;
  const Spec* input(const std::string& name) const;

  Signature signature_;
  std::vector<Entry> entries_;
};

// Where the batch lies in a tensor, also within a product such as "batch*time"; -1: nowhere.
int batch_axis(const Spec& spec, const std::string& batch);

// Rows of each call; the last is filled up by repetition: split(3, {2}) is (2, {0, 1}), (2, {2, 2}).
std::vector<std::pair<std::size_t, Rows>> split(std::size_t count, const std::vector<std::size_t>& sizes);

// A tensor in another dtype. Throws std::invalid_argument for what that cannot hold.
Tensor stored(const Tensor& tensor, const std::string& name, DType dtype);

// Throws std::invalid_argument unless these are all inputs, of the right dtypes and sizes.
void accept(const Signature& signature, const Tensors& tensors);

// The size of each named axis in these tensors.
Sizes sizes_of(const std::vector<Spec>& specs, const Tensors& tensors);

std::string dims(const std::vector<Dim>& shape);

}  // namespace inner
}  // namespace deploy_target

#endif
