// Walks once through a text of JSON.
#ifndef DEPLOY_TARGET_SRC_JSON_READER_HPP
#define DEPLOY_TARGET_SRC_JSON_READER_HPP

#include <string>

#include "deploy_target/json.hpp"

namespace deploy_target {
namespace inner {

class JsonReader {
 public:
  explicit JsonReader(const std::string& text) : text_(text) {}

  // The only value of the text. Throws Json::Wrong.
  Json whole();

 private:
  Json value(int depth);
  Json list(int depth);
  Json object(int depth);
  std::string string();
  void escaped(std::string& to);
  std::uint32_t hex();
  Json number();
  Json word();
  void blank();
  bool skip(char sign);
  void digits();
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Json::Wrong wrong(const std::string& what) const;

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace inner
}  // namespace deploy_target

#endif
