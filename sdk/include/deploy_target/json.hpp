// JSON.
#ifndef DEPLOY_TARGET_JSON_HPP
#define DEPLOY_TARGET_JSON_HPP

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace deploy_target {

// A value of JSON, read strictly and as it is written: numbers keep their digits, and no object
// names anything twice.
class Json {
 public:
  enum class Kind { null, boolean, number, text, list, object };
  using List = std::vector<Json>;
  using Object = std::map<std::string, Json>;

  class Wrong : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };

  Json() = default;
  Json(bool value) : kind_(Kind::boolean), whole_(value) {}
  Json(double value);  // a number that is finite
  Json(std::int64_t value);
  Json(int value) : Json(static_cast<std::int64_t>(value)) {}
  Json(std::string text) : kind_(Kind::text), text_(std::move(text)) {}
  Json(const char* text) : Json(std::string(text)) {}
  Json(List list) : kind_(Kind::list), list_(std::make_shared<const List>(std::move(list))) {}
  Json(Object object);
  static Json digits(std::string text, bool whole);  // a number as it is written

  static Json read(const std::string& text);  // throws Wrong
  std::string write() const;

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool truth() const { return whole_; }
  bool whole() const { return whole_; }              // of a number: without a fraction and an exponent
  const std::string& text() const { return text_; }  // of a number its digits
  double number() const;
  const List& list() const;                               // empty where it is no list
  const Object& object() const;                           // empty where it is no object
  const Json& operator[](const std::string& name) const;  // null where there is none

 private:
  Kind kind_ = Kind::null;
  bool whole_ = false;
  std::string text_;
  std::shared_ptr<const List> list_;
  std::shared_ptr<const Object> object_;
};

}  // namespace deploy_target

#endif
