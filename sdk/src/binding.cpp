#include "binding.hpp"

#include <algorithm>
#include <cmath>

#include "layout.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

std::size_t size_or_one(const Sizes& sizes, const std::string& axis) {
  const auto found = sizes.find(axis);
  return found == sizes.end() ? 1 : static_cast<std::size_t>(found->second);
}

bool same_names(const Entry& entry, const Tensors& tensors) {
  Tensors left = tensors;
  for (const Port& port : entry.inputs) {
    if (!tensors.count(port.of)) return false;
    left.erase(port.of);
  }
  return left.empty();
}

const Port* port_of(const std::vector<Port>& ports, const std::string& of) {
  for (const Port& port : ports) {
    if (port.of == of) return &port;
  }
  return nullptr;
}

Rows counted(std::size_t count) {
  Rows rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

std::string given_shapes(const Tensors& tensors) {
  std::vector<std::string> parts;
  for (const auto& one : tensors) parts.push_back(one.first + " " + said(one.second.shape()));
  return joined(parts, ", ");
}

// The first element that is no longer itself in another dtype; empty where all are.
std::string changed(const Tensor& was, const Tensor& now) {
  if (is_float(was.dtype())) {
    const std::vector<double> old = was.doubles(), made = now.doubles();
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (!(std::trunc(old[i]) == made[i])) return pythonic(old[i]);
    }
    return "";
  }
  const std::vector<std::int64_t> old = was.longs(), made = now.longs();
  // The same bits are another number where only one of the two has a sign.
  const bool across = (was.dtype() == DType::uint64) != (now.dtype() == DType::uint64);
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old[i] == made[i] && !(across && old[i] < 0)) continue;
    return was.dtype() == DType::uint64 ? std::to_string(static_cast<std::uint64_t>(old[i]))
                                        : std::to_string(old[i]);
  }
  return "";
}

}  // namespace

int batch_axis(const Spec& spec, const std::string& batch) {
  for (std::size_t i = 0; i < spec.shape.size() && !batch.empty(); ++i) {
    if (spec.shape[i].name.substr(0, spec.shape[i].name.find('*')) == batch) return static_cast<int>(i);
  }
  return -1;
}

std::vector<Call> Binding::calls(const Tensors& tensors) const {
  accept(signature_, tensors);
  const Sizes sizes = sizes_of(signature_.inputs, tensors);
  const std::size_t count = size_or_one(sizes, signature_.batch);
  std::vector<Call> calls = plan(tensors, sizes);
  for (Call& call : calls) {
    for (const Port& port : call.entry->inputs) {
      const Spec* spec = input(port.of);
      const int axis = spec ? batch_axis(*spec, signature_.batch) : -1;
      const Tensor& whole = tensors.at(port.of);
      const Tensor own = call.rows ? taken(whole, axis, count, *call.rows) : whole;
      call.feeds.emplace(port.spec.name, permuted(stored(own, port.of, port.spec.dtype), port.axes));
    }
  }
  return calls;
}

Tensors Binding::answer(const std::vector<Call>& calls, const std::vector<Tensors>& answers) const {
  Tensors whole;
  for (const Spec& spec : signature_.outputs) {
    const int axis = batch_axis(spec, signature_.batch);
    std::vector<Tensor> pieces;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Port* port = port_of(calls[i].entry->outputs, spec.name);
      const auto came = port ? answers[i].find(port->spec.name) : answers[i].end();
      if (came == answers[i].end()) continue;
      const Tensor back = stored(permuted(came->second, inverse(port->axes)), spec.name, spec.dtype);
      const auto& rows = calls[i].rows;
      pieces.push_back(rows ? taken(back, axis, rows->size(), counted(calls[i].kept)) : back);
    }
    if (!pieces.empty())
      whole.emplace(spec.name, joined(pieces, axis < 0 ? 0 : static_cast<std::size_t>(axis)));
  }
  return whole;
}

std::vector<Call> Binding::plan(const Tensors& tensors, const Sizes& sizes) const {
  std::map<std::size_t, const Entry*> fits;
  for (const Entry& entry : entries_) {
    const Sizes fixed = fixed_sizes(entry);
    const bool same = std::all_of(fixed.begin(), fixed.end(), [&](const Sizes::value_type& one) {
      const auto size = sizes.find(one.first);
      return one.first == signature_.batch || (size != sizes.end() && size->second == one.second);
    });
    if (!same || !same_names(entry, tensors)) continue;
    if (signature_.batch.empty() || !fixed.count(signature_.batch)) return {Call{&entry, {}, 0, {}}};
    fits.emplace(static_cast<std::size_t>(fixed.at(signature_.batch)), &entry);
  }
  if (fits.empty()) {
    throw std::invalid_argument("nothing in the artifact takes " + given_shapes(tensors) + "; it takes " +
                                all_taken());
  }
  const std::size_t count = size_or_one(sizes, signature_.batch);
  if (fits.count(count)) return {Call{fits.at(count), counted(count), count, {}}};
  std::vector<std::size_t> known;
  Shape listed;
  for (const auto& one : fits) {
    known.push_back(one.first);
    listed.push_back(static_cast<std::int64_t>(one.first));
  }
  for (const Spec& spec : signature_.outputs) {
    if (batch_axis(spec, signature_.batch) >= 0) continue;
    throw std::invalid_argument("\"" + spec.name + "\" has no axis " + signature_.batch +
                                ", so that a batch of " + std::to_string(count) + " cannot be split into " +
                                deploy_target::said(listed));
  }
  std::vector<Call> calls;
  for (auto& part : split(count, known)) {
    const std::size_t kept = std::min(part.first, count - part.second[0]);
    calls.push_back(Call{fits.at(part.first), std::move(part.second), kept, {}});
  }
  return calls;
}

// The model's axes that an entry has nailed down.
Sizes Binding::fixed_sizes(const Entry& entry) const {
  Sizes fixed;
  for (const Port& port : entry.inputs) {
    const Spec* spec = input(port.of);
    for (std::size_t i = 0; spec && i < port.spec.shape.size(); ++i) {
      const std::size_t at = port.axes ? static_cast<std::size_t>(port.axes->at(i)) : i;
      if (at >= spec->shape.size() || spec->shape[at].fixed() || !port.spec.shape[i].fixed()) continue;
      fixed[spec->shape[at].name] = port.spec.shape[i].size;
    }
  }
  return fixed;
}

const Spec* Binding::input(const std::string& name) const {
  for (const Spec& spec : signature_.inputs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string Binding::all_taken() const {
  std::vector<std::string> each;
  for (const Entry& entry : entries_) {
    std::vector<std::string> parts;
    for (const Port& port : entry.inputs) {
      std::vector<Dim> shape = port.spec.shape;
      for (std::size_t i = 0; port.axes && i < shape.size(); ++i) {
        shape[static_cast<std::size_t>(port.axes->at(i))] = port.spec.shape[i];
      }
      parts.push_back(port.of + " " + dims(shape));
    }
    each.push_back(joined(parts, ", "));
  }
  return joined(each, " or ");
}

std::vector<std::pair<std::size_t, Rows>> split(std::size_t count, const std::vector<std::size_t>& sizes) {
  std::vector<std::pair<std::size_t, Rows>> parts;
  for (std::size_t at = 0; at < count;) {
    std::size_t size = 0;
    for (const std::size_t one : sizes) {
      if (one <= count - at) size = std::max(size, one);
    }
    if (size == 0) size = *std::min_element(sizes.begin(), sizes.end());
    Rows rows(size);
    for (std::size_t i = 0; i < size; ++i) rows[i] = std::min(at + i, count - 1);
    parts.emplace_back(size, std::move(rows));
    at += size;
  }
  return parts;
}

Tensor stored(const Tensor& tensor, const std::string& name, DType dtype) {
  const Tensor made = tensor.cast(dtype);
  if (dtype == tensor.dtype() || is_float(dtype)) return made;
  const std::string wrong = changed(tensor, made);
  if (!wrong.empty()) {
    throw std::invalid_argument("\"" + name + "\" holds " + wrong + ", which is beyond " + label(dtype));
  }
  return made;
}

}  // namespace inner
}  // namespace deploy_target
