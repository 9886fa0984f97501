#include "rows.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

// What a value may have: Python's limit.
constexpr std::size_t LONGEST_VALUE = 131072;

Refused no_csv(const std::string& why) { return Refused("the CSV cannot be read: " + why); }

class Csv {
 public:
  Csv(const std::string& text, const std::string& between) : text_(text), between_(between) {}

  std::vector<Json::List> rows() {
    std::vector<Json::List> rows;
    while (at_ < text_.size()) {
      if (ends())
        ++at_;
      else
        rows.push_back(row());
    }
    return rows;
  }

 private:
  Json::List row() {
    Json::List row;
    for (;;) {
      std::string value = at_ < text_.size() && text_[at_] == '"' ? quoted() : bare();
      if (letters(value) > LONGEST_VALUE)
        throw no_csv("a value is longer than " + std::to_string(LONGEST_VALUE) + " characters");
      row.push_back(std::move(value));
      const bool more = parts();
      // A delimiter before the end of the line or of the text stands before an empty value.
      at_ += more ? between_.size() : 1;
      if (!more) return row;
    }
  }

  bool ends() const { return text_[at_] == '\n' || text_[at_] == '\r'; }
  bool parts() const { return text_.compare(at_, between_.size(), between_) == 0 && at_ < text_.size(); }

  std::string bare() {
    const std::size_t from = at_;
    while (at_ < text_.size() && !parts() && !ends()) ++at_;
    return text_.substr(from, at_ - from);
  }

  std::string quoted() {
    std::string value;
    for (std::size_t from = at_ + 1;;) {
      const std::size_t close = text_.find('"', from);
      if (close == std::string::npos) throw no_csv("a quote does not end");
      value.append(text_, from, close - from);
      at_ = close + 1;
      if (at_ >= text_.size() || parts() || ends()) return value;
      if (text_[at_] != '"') {
        throw no_csv("after a quote that ends there is \"" + first_letters(text_.substr(at_), 1) +
                     "\", expected \"" + between_ + "\"");
      }
      value += '"';
      from = close + 2;
    }
  }

  const std::string& text_;
  const std::string& between_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Json::List> csv_rows(const std::string& text, const std::string& delimiter) {
  return Csv(text, delimiter).rows();
}

}  // namespace inner
}  // namespace deploy_target
