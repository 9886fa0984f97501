// The fields of a JSON object by name and kind. Throws std::invalid_argument for other kinds.
#ifndef DEPLOY_TARGET_SRC_FIELDS_HPP
#define DEPLOY_TARGET_SRC_FIELDS_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "deploy_target/errors.hpp"
#include "deploy_target/json.hpp"

namespace deploy_target {
namespace inner {

class Fields {
 public:
  explicit Fields(Json object) : object_(std::move(object)) {}

  bool has(const std::string& name) const { return !object_[name].is_null(); }
  const Json& any(const std::string& name) const { return object_[name]; }
  const Json::Object& all() const { return object_.object(); }

  const std::string& text(const std::string& name) const;
  bool flag(const std::string& name) const;
  double number(const std::string& name) const;
  std::int64_t whole(const std::string& name) const;
  const Json::List& list(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;
  std::vector<double> numbers(const std::string& name) const;
  std::vector<std::int64_t> wholes(const std::string& name) const;
  Fields fields(const std::string& name) const;
  std::vector<Fields> several(const std::string& name) const;

  // What is meant where it is not there.
  std::string text(const std::string& name, const std::string& other) const;

 private:
  std::invalid_argument wrong(const std::string& name, const std::string& what) const;
  Json object_;
};

// The object that a file of a bundle holds, as `read` makes it out. Throws BundleDamaged.
template <class Read>
auto in_file(const std::string& name, const std::string& text, Read read) -> decltype(read(Fields(Json()))) {
  try {
    const Json found = Json::read(text);
    if (found.kind() != Json::Kind::object) throw BundleDamaged(name + " holds no object");
    return read(Fields(found));
  } catch (const Json::Wrong& error) {
    throw BundleDamaged(name + " is no JSON: " + error.what());
  } catch (const std::invalid_argument& error) {
    throw BundleDamaged(name + ": " + error.what());
  }
}

}  // namespace inner
}  // namespace deploy_target

#endif
