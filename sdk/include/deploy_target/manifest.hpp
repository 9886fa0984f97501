// deploy-target.json: what is known of a bundle without running it.
#ifndef DEPLOY_TARGET_MANIFEST_HPP
#define DEPLOY_TARGET_MANIFEST_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy_target/errors.hpp"
#include "deploy_target/json.hpp"
#include "deploy_target/tensor.hpp"

namespace deploy_target {

constexpr const char* TENSORS = "tensors";  // the line of the verdict that asks the model's tensors
constexpr const char* BYTES = "bytes";      // the one that asks raw bytes, with the steps

// One size of a shape: fixed, or an axis ("batch"), or a product of some ("batch*time").
struct Dim {
  std::int64_t size = 0;
  std::string name;
  bool fixed() const { return name.empty(); }
};

// `kind` is what an output means, as declared.
struct Spec {
  std::string name;
  DType dtype = DType::float32;
  std::vector<Dim> shape;
  std::string kind = "plain";
};

struct Axis {
  std::string name;
  std::int64_t minimum, maximum;  // both included
};

// Along `batch`, a question may be split into several calls; empty where there is none.
struct Signature {
  std::vector<Spec> inputs, outputs;
  std::vector<Axis> axes;
  std::string batch;
};

using Order = std::optional<std::vector<std::int64_t>>;

// A tensor of the artifact, and the model's that it stands for: artifact = model.transpose(axes).
struct Port {
  Spec spec;
  std::string of;
  Order axes;
};

struct Entry {
  std::string name;
  std::vector<Port> inputs, outputs;
  std::string golden = TENSORS;
};

struct Lane {
  std::string name, recipe;
  bool required;
};

// How far one output may be from the original's.
struct Bound {
  double relative_l2 = 0, whole = 0, part = 0, element = 0, budget = 0, jumps = 0, jump = 0;
};

struct FileRecord {
  std::string role;
  std::int64_t size;
  std::string sha256;
};

struct Manifest {
  std::string name, target;
  std::string digest;  // SHA-256 of the file's bytes, and so of all that it seals
  std::map<std::string, Signature> signatures;
  std::vector<Entry> entries;
  std::vector<Lane> lanes;
  std::map<std::string, std::map<std::string, std::map<std::string, Bound>>> bounds;
  std::map<std::string, FileRecord> files;
  Json options;

  static Manifest read(const Bytes& file);  // throws BundleDamaged
  const Signature& signature() const { return signatures.at(TENSORS); }
  std::vector<Entry> entries_of(const std::string& golden) const;
  const Entry& entry(const std::string& name) const;
  const Lane& lane(const std::string& name) const;  // "" is the first
};

std::string sha256(const Bytes& bytes);

}  // namespace deploy_target

#endif
