#include "deploy_target/manifest.hpp"

#include <algorithm>

#include "fields.hpp"
#include "manifest_reader.hpp"
#include "text.hpp"

namespace deploy_target {

namespace {

using inner::Fields;

constexpr std::int64_t SCHEMA = 3;  // the form of the manifest that this code reads

Port port_of(const Fields& said) {
  Port port{inner::spec_of(said.fields("spec")), said.text("of"), {}};
  if (said.has("axes")) port.axes = said.wholes("axes");
  return port;
}

template <class One, class Read>
std::vector<One> all_of(const Fields& said, const std::string& name, Read read) {
  std::vector<One> found;
  for (const Fields& one : said.several(name)) found.push_back(read(one));
  return found;
}

Signature signature_of(const Fields& said) {
  Signature made;
  made.inputs = all_of<Spec>(said, "inputs", inner::spec_of);
  made.outputs = all_of<Spec>(said, "outputs", inner::spec_of);
  made.axes = all_of<Axis>(said, "axes", [](const Fields& one) {
    return Axis{one.text("name"), one.whole("minimum"), one.whole("maximum")};
  });
  made.batch = said.text("batch", "");
  return made;
}

Entry entry_of(const Fields& said) {
  return {said.text("name"), all_of<Port>(said, "inputs", port_of), all_of<Port>(said, "outputs", port_of),
          said.text("golden")};
}

Bound bound_of(const Fields& said) {
  return {said.number("relative_l2"), said.number("whole"), said.number("part"), said.number("element"),
          said.number("budget"),      said.number("jumps"), said.number("jump")};
}

Manifest manifest_of(const Fields& said) {
  if (said.whole("schema") != SCHEMA) {
    throw std::invalid_argument("its schema is " + said.any("schema").write() + ", and this code reads " +
                                std::to_string(SCHEMA));
  }
  Manifest made;
  made.name = said.text("name");
  made.target = said.text("target");
  const Fields signatures = said.fields("signatures");
  for (const auto& one : signatures.all())
    made.signatures[one.first] = signature_of(signatures.fields(one.first));
  if (!made.signatures.count(TENSORS))
    throw std::invalid_argument("it has no signature of the model's tensors");
  made.entries = all_of<Entry>(said, "entries", entry_of);
  made.lanes = all_of<Lane>(said, "lanes", [](const Fields& one) {
    return Lane{one.text("name"), one.text("recipe"), one.flag("required")};
  });
  const Fields recipes = said.fields("bounds");
  for (const auto& recipe : recipes.all()) {
    const Fields lines = recipes.fields(recipe.first);
    for (const auto& line : lines.all()) {
      const Fields outputs = lines.fields(line.first);
      auto& bounds = made.bounds[recipe.first][line.first];
      for (const auto& output : outputs.all()) bounds[output.first] = bound_of(outputs.fields(output.first));
    }
  }
  const Fields files = said.fields("files");
  for (const auto& one : files.all()) {
    const Fields file = files.fields(one.first);
    made.files[one.first] = {file.text("role"), file.whole("size"), file.text("sha256")};
  }
  made.options = said.any("options");
  return made;
}

// What there is, in quotes.
template <class All>
std::string names_of(const All& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back("\"" + one.name + "\"");
  return inner::joined(names, ", ");
}

}  // namespace

namespace inner {

Spec spec_of(const Fields& said) {
  Spec made;
  made.name = said.text("name");
  made.dtype = dtype_named(said.text("dtype"));
  for (const Json& size : said.list("shape")) {
    const bool number = size.kind() == Json::Kind::number;
    if (!number && (size.kind() != Json::Kind::text || size.text().empty())) {
      throw std::invalid_argument("\"" + made.name + "\" has a size that is " + size.write());
    }
    made.shape.push_back({number ? static_cast<std::int64_t>(size.number()) : 0, number ? "" : size.text()});
  }
  made.kind = said.text("kind", "plain");
  return made;
}

}  // namespace inner

Manifest Manifest::read(const Bytes& file) {
  Manifest made = inner::in_file("deploy-target.json", std::string(file.begin(), file.end()), manifest_of);
  made.digest = sha256(file);
  return made;
}

std::vector<Entry> Manifest::entries_of(const std::string& golden) const {
  std::vector<Entry> found;
  for (const Entry& entry : entries) {
    if (entry.golden == golden) found.push_back(entry);
  }
  return found;
}

const Entry& Manifest::entry(const std::string& name) const {
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
  }
  throw std::invalid_argument("no entry is named \"" + name + "\"; this bundle has " + names_of(entries));
}

const Lane& Manifest::lane(const std::string& name) const {
  for (const Lane& lane : lanes) {
    if (name.empty() || lane.name == name) return lane;
  }
  throw std::invalid_argument("no lane is named \"" + name + "\"; this bundle has " + names_of(lanes));
}

}  // namespace deploy_target
