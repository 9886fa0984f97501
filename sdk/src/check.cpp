// Golden cases, verdicts on answers to them, and answers for others to judge.
#include <algorithm>
#include <cmath>
#include <set>

#include "binding.hpp"
#include "deploy_target/proof.hpp"
#include "layout.hpp"
#include "text.hpp"

namespace deploy_target {

namespace {

using inner::inverse;
using inner::permuted;

const Tensor* find(const Tensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

Distance distance(const Manifest& manifest, const GoldenCase& golden, const Port& port, const Tensor* got,
                  const Bound& bound) {
  const Tensor* want = find(golden.expected, port.spec.name);
  if (!want) return {std::nan(""), "golden.safetensors has no answer of the original's for it"};
  if (!got) return compared(*want, nullptr, nullptr, bound);
  if (got->dtype() != port.spec.dtype) {
    return {std::nan(""), "its dtype is " + label(got->dtype()) + ", expected " + label(port.spec.dtype)};
  }
  if (got->shape().size() != want->shape().size()) return compared(*want, got, nullptr, bound);
  const auto known = manifest.signatures.find(golden.golden);
  const Signature& signature = known == manifest.signatures.end() ? manifest.signature() : known->second;
  Spec spec = port.spec;
  for (const Spec& one : signature.outputs) {
    if (one.name == port.of) spec = one;
  }
  const Order back = inverse(port.axes);
  const Tensor* noise = find(golden.noise, port.spec.name);
  const Tensor their = permuted(*got, back), strays = noise ? permuted(*noise, back) : Tensor();
  return compared(permuted(*want, back), &their, noise ? &strays : nullptr, bound,
                  inner::batch_axis(spec, signature.batch), spec.kind);
}

// What the manifest grants in a line of the verdict: nothing where it says nothing.
std::map<std::string, Bound> granted(const Manifest& manifest, const std::string& lane,
                                     const std::string& line) {
  const auto recipe = manifest.bounds.find(manifest.lane(lane).recipe);
  if (recipe == manifest.bounds.end() || !recipe->second.count(line)) return {};
  return recipe->second.at(line);
}

Row row(const GoldenCase& golden, const std::string& output, const Distance& found) {
  return {golden.call, output, found.reason.empty(), found.reason, found.relative_l2};
}

}  // namespace

std::vector<Row> judged(const Manifest& manifest, const GoldenCase& golden, const Tensors& answer,
                        const std::string& lane) {
  const Entry& entry = manifest.entry(golden.entry);
  const std::map<std::string, Bound> bounds = granted(manifest, lane, golden.golden);
  std::vector<Row> rows;
  std::set<std::string> more, known;
  for (const Port& port : entry.outputs) {
    const Bound bound = bounds.count(port.of) ? bounds.at(port.of) : Bound();
    known.insert(port.spec.name);
    rows.push_back(
        row(golden, port.of, distance(manifest, golden, port, find(answer, port.spec.name), bound)));
  }
  for (const Tensors* all : {&golden.expected, &answer}) {
    for (const auto& one : *all) more.insert(one.first);
  }
  for (const std::string& name : more) {
    if (known.count(name)) continue;
    rows.push_back(row(golden, name, {std::nan(""), "entry \"" + entry.name + "\" has no such output"}));
  }
  // To have found nothing wrong where nothing was asked would sound like a proof.
  if (rows.empty())
    rows.push_back(row(golden, "all outputs", {std::nan(""), "entry \"" + entry.name + "\" has none"}));
  return rows;
}

// Keys are GOLDEN/CALL/ENTRY/in|out|noise/TENSOR, where a call's own slashes are bars.
std::vector<GoldenCase> read_golden(const Bytes& file) {
  std::map<std::string, GoldenCase> found;
  for (const auto& one : Safetensors::read(file).tensors) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (int i = 0; i < 4; ++i) {
      const std::size_t end = one.first.find('/', from);
      if (end == std::string::npos) break;
      parts.push_back(one.first.substr(from, end - from));
      from = end + 1;
    }
    const std::string side = parts.size() == 4 ? parts[3] : "";
    if (side != "in" && side != "out" && side != "noise") {
      throw BundleDamaged("golden.safetensors holds a key of another form: " + one.first);
    }
    GoldenCase& golden = found[parts[0] + "/" + parts[1] + "/" + parts[2]];
    golden.golden = parts[0];
    golden.call = inner::replaced(parts[1], "|", "/");
    golden.entry = parts[2];
    Tensors& of = side == "in" ? golden.inputs : side == "out" ? golden.expected : golden.noise;
    of.emplace(one.first.substr(from), one.second);
  }
  std::vector<GoldenCase> cases;
  for (auto& one : found) cases.push_back(std::move(one.second));
  return cases;
}

Recording::Recording(const Manifest& manifest, const std::string& lane, const std::string& runtime,
                     const std::string& device) {
  manifest.lane(lane);
  if (lane.empty() || runtime.empty() || device.empty()) {
    throw std::invalid_argument("a recording says its lane, its runtime and its device");
  }
  answers_.metadata = {
      {"manifest", manifest.digest}, {"lane", lane}, {"runtime", runtime}, {"device", device}};
}

void Recording::add(const GoldenCase& golden, const Tensors& outputs) {
  for (const auto& one : outputs) {
    const std::string key = golden.call + "/" + one.first;
    // A question of both lines of the verdict may have one name, and an output of both, too.
    const bool plain = answers_.tensors.emplace(key, one.second).second;
    if (!plain) answers_.tensors.emplace(golden.golden + "/" + key, one.second);
  }
}

}  // namespace deploy_target
