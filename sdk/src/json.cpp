#include "deploy_target/json.hpp"

#include <cmath>
#include <cstdio>

#include "json_reader.hpp"
#include "text.hpp"

namespace deploy_target {

namespace {

void quote(const std::string& any, std::string& to) {
  // What was read of somebody's file may be anything; what is written is UTF-8.
  const std::string text = inner::is_utf8(any) ? any : inner::sound(any);
  to += '"';
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      to += '\\';
      to += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(letter));
      to += escaped;
    } else {
      to += letter;
    }
  }
  to += '"';
}

void put(const Json& value, std::string& to) {
  const char* between = "";
  switch (value.kind()) {
    case Json::Kind::null: to += "null"; break;
    case Json::Kind::boolean: to += value.truth() ? "true" : "false"; break;
    case Json::Kind::number: to += value.text(); break;
    case Json::Kind::text: quote(value.text(), to); break;
    case Json::Kind::list:
      to += '[';
      for (const Json& one : value.list()) {
        to += between;
        put(one, to);
        between = ",";
      }
      to += ']';
      break;
    case Json::Kind::object:
      to += '{';
      for (const auto& one : value.object()) {
        to += between;
        quote(one.first, to);
        to += ':';
        put(one.second, to);
        between = ",";
      }
      to += '}';
      break;
  }
}

}  // namespace

Json::Json(double value) : kind_(Kind::number), text_(inner::pythonic(value)) {
  if (!std::isfinite(value)) throw std::invalid_argument(text_ + " cannot be written as JSON");
}

Json::Json(std::int64_t value) : kind_(Kind::number), whole_(true), text_(std::to_string(value)) {}

Json::Json(Object object) : kind_(Kind::object), object_(std::make_shared<const Object>(std::move(object))) {}

Json Json::digits(std::string text, bool whole) {
  Json made;
  made.kind_ = Kind::number;
  made.whole_ = whole;
  made.text_ = std::move(text);
  return made;
}

Json Json::read(const std::string& text) { return inner::JsonReader(text).whole(); }

std::string Json::write() const {
  std::string text;
  put(*this, text);
  return text;
}

double Json::number() const { return inner::number_of(text_); }

const Json::List& Json::list() const {
  static const List none;
  return list_ ? *list_ : none;
}

const Json::Object& Json::object() const {
  static const Object none;
  return object_ ? *object_ : none;
}

const Json& Json::operator[](const std::string& name) const {
  static const Json none;
  const auto found = object().find(name);
  return found == object().end() ? none : found->second;
}

}  // namespace deploy_target
