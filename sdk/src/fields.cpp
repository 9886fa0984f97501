#include "fields.hpp"

#include <cmath>
#include <limits>

namespace deploy_target {
namespace inner {

namespace {

// JSON has no infinities: they are texts there.
bool read_number(const Json& value, double& found) {
  if (value.kind() == Json::Kind::number) {
    found = value.number();
    return true;
  }
  if (value.kind() != Json::Kind::text) return false;
  const double infinity = std::numeric_limits<double>::infinity();
  if (value.text() == "inf")
    found = infinity;
  else if (value.text() == "-inf")
    found = -infinity;
  else if (value.text() == "nan")
    found = std::nan("");
  else
    return false;
  return true;
}

}  // namespace

std::invalid_argument Fields::wrong(const std::string& name, const std::string& what) const {
  return std::invalid_argument("\"" + name + "\" is " + object_[name].write() + ", expected " + what);
}

const std::string& Fields::text(const std::string& name) const {
  if (object_[name].kind() != Json::Kind::text) throw wrong(name, "a text");
  return object_[name].text();
}

std::string Fields::text(const std::string& name, const std::string& other) const {
  return has(name) ? text(name) : other;
}

bool Fields::flag(const std::string& name) const {
  if (object_[name].kind() != Json::Kind::boolean) throw wrong(name, "true or false");
  return object_[name].truth();
}

double Fields::number(const std::string& name) const {
  double found = 0;
  if (!read_number(object_[name], found)) throw wrong(name, "a number");
  return found;
}

std::int64_t Fields::whole(const std::string& name) const {
  const double found = number(name);
  if (!(found == std::rint(found)) || !(std::fabs(found) < 9e15)) throw wrong(name, "a whole number");
  return static_cast<std::int64_t>(found);
}

const Json::List& Fields::list(const std::string& name) const {
  if (object_[name].kind() != Json::Kind::list) throw wrong(name, "a list");
  return object_[name].list();
}

std::vector<std::string> Fields::texts(const std::string& name) const {
  std::vector<std::string> found;
  for (const Json& one : list(name)) {
    if (one.kind() != Json::Kind::text) throw wrong(name, "a list of texts");
    found.push_back(one.text());
  }
  return found;
}

std::vector<double> Fields::numbers(const std::string& name) const {
  std::vector<double> found;
  for (const Json& one : list(name)) {
    found.push_back(0);
    if (!read_number(one, found.back())) throw wrong(name, "a list of numbers");
  }
  return found;
}

std::vector<std::int64_t> Fields::wholes(const std::string& name) const {
  std::vector<std::int64_t> found;
  for (const double one : numbers(name)) {
    if (!(std::fabs(one) < 9e15)) throw wrong(name, "a list of whole numbers");
    found.push_back(static_cast<std::int64_t>(one));
  }
  return found;
}

Fields Fields::fields(const std::string& name) const {
  if (object_[name].kind() != Json::Kind::object) throw wrong(name, "an object");
  return Fields(object_[name]);
}

std::vector<Fields> Fields::several(const std::string& name) const {
  std::vector<Fields> found;
  for (const Json& one : list(name)) {
    if (one.kind() != Json::Kind::object) throw wrong(name, "a list of objects");
    found.emplace_back(one);
  }
  return found;
}

}  // namespace inner
}  // namespace deploy_target
