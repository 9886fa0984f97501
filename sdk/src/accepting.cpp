// Whether tensors are what a model takes: the error says which is not, and what was expected.
#include <algorithm>
#include <cstdlib>

#include "binding.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

// The size of "batch*time" where that of all its factors is known; -1 else.
std::int64_t product(const std::string& name, const Sizes& sizes) {
  std::int64_t all = 1;
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t end = std::min(name.find('*', from), name.size());
    const std::string one = name.substr(from, end - from);
    char* rest = nullptr;
    const long number = std::strtol(one.c_str(), &rest, 10);
    const auto found = sizes.find(one);
    if (!one.empty() && *rest == '\0') {
      all *= number;
    } else if (found != sizes.end()) {
      all *= found->second;
    } else {
      return -1;
    }
    from = end + 1;
  }
  return all;
}

void accept_size(const std::string& where, const Dim& dim, std::int64_t size, const Sizes& sizes,
                 const Signature& signature) {
  if (dim.fixed()) {
    if (dim.size != size) throw std::invalid_argument(where);
    return;
  }
  for (const Axis& axis : signature.axes) {
    if (axis.name != dim.name || (size >= axis.minimum && size <= axis.maximum)) continue;
    throw std::invalid_argument(where + ": " + dim.name + " must be " + std::to_string(axis.minimum) +
                                " to " + std::to_string(axis.maximum));
  }
  std::int64_t right = product(dim.name, sizes);
  if (right < 0 && sizes.count(dim.name)) right = sizes.at(dim.name);
  if (right >= 0 && right != size) {
    throw std::invalid_argument(where + ": " + dim.name + " is " + std::to_string(right) + " elsewhere");
  }
}

}  // namespace

void accept(const Signature& signature, const Tensors& tensors) {
  std::vector<std::string> known;
  for (const Spec& spec : signature.inputs) known.push_back("\"" + spec.name + "\"");
  for (const auto& one : tensors) {
    bool is_known = false;
    for (const Spec& spec : signature.inputs) is_known = is_known || spec.name == one.first;
    if (is_known) continue;
    throw std::invalid_argument("no input is named \"" + one.first + "\"; this model takes " +
                                joined(known, ", "));
  }
  const Sizes sizes = sizes_of(signature.inputs, tensors);
  for (const Spec& spec : signature.inputs) {
    const std::string wanted = label(spec.dtype) + " " + dims(spec.shape);
    const auto given = tensors.find(spec.name);
    if (given == tensors.end()) {
      throw std::invalid_argument("input \"" + spec.name + "\" is missing: expected " + wanted);
    }
    const Tensor& tensor = given->second;
    const std::string where = "input \"" + spec.name + "\" is " + tensor.said() + ", expected " + wanted;
    if (tensor.dtype() != spec.dtype || tensor.shape().size() != spec.shape.size())
      throw std::invalid_argument(where);
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      accept_size(where, spec.shape[i], tensor.shape()[i], sizes, signature);
    }
  }
}

Sizes sizes_of(const std::vector<Spec>& specs, const Tensors& tensors) {
  Sizes sizes;
  for (const Spec& spec : specs) {
    const auto given = tensors.find(spec.name);
    if (given == tensors.end()) continue;
    const Shape& shape = given->second.shape();
    for (std::size_t i = 0; i < spec.shape.size() && i < shape.size(); ++i) {
      if (!spec.shape[i].fixed()) sizes.emplace(spec.shape[i].name, shape[i]);
    }
  }
  return sizes;
}

std::string dims(const std::vector<Dim>& shape) {
  std::vector<std::string> parts;
  for (const Dim& dim : shape) parts.push_back(dim.fixed() ? std::to_string(dim.size) : dim.name);
  return "[" + joined(parts, ", ") + "]";
}

}  // namespace inner
}  // namespace deploy_target
