// Tables: from CSV or JSON to rows of numbers.
//
// In: bytes in UTF-8. JSON is told by its first sign, "[" or "{": a list of objects, one object, or
// a list of lists in the order of the columns. Anything else is CSV. Out: float64 [rows, columns],
// NaN where a value is missing, a category as its place in the list of them. Rows are counted from
// 1, the header is none.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "halves.hpp"
#include "rows.hpp"
#include "steps.hpp"
#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

std::size_t digits_from(const std::string& text, std::size_t at) {
  const std::size_t from = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at - from;
}

// What is a number in text; not "1_000", "0x10", "1,5" or "inf", whatever a platform makes of them.
bool is_number(const std::string& text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t before = digits_from(text, at);
  at += before;
  std::size_t after = 0;
  if (at < text.size() && text[at] == '.') {
    after = digits_from(text, at + 1);
    at += 1 + after;
  }
  if (before + after == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t power = digits_from(text, at);
    if (power == 0) return false;
    at += power;
  }
  return at == text.size();
}

// A JSON number or boolean, or a number written out, with blanks around it or not.
std::optional<double> numeral(const Json& cell) {
  if (cell.kind() == Json::Kind::number) return cell.number();
  if (cell.kind() == Json::Kind::boolean) return cell.truth() ? 1.0 : 0.0;
  if (cell.kind() != Json::Kind::text) return {};
  const std::string text = stripped(cell.text());
  if (!is_number(text)) return {};
  return number_of(text);
}

// One column: what may be missing in it, and the categories that it has, if any.
class Column {
 public:
  Column(const std::string& name, const Fields& options)
      : name_(name), unknown_is_none_(options.text("unknown") == "zeros") {
    for (const std::string& one : options.texts("missing")) missing_.insert(one);
    for (const std::string& one : options.texts("optional")) may_lack_ = may_lack_ || one == name;
    const Json& names = options.any("categories")[name];
    if (names.kind() != Json::Kind::list) return;
    has_categories_ = true;
    for (const Json& one : names.list()) counted_ = counted_ && one.kind() != Json::Kind::text;
    int place = 0;
    for (const Json& one : names.list()) {
      const std::optional<double> number = counted_ ? numeral(one) : std::nullopt;
      if (number)
        numbers_.emplace(*number, place);
      else if (!counted_ && one.kind() == Json::Kind::text)
        texts_.emplace(one.text(), place);
      shown_.push_back(cell_text(one));
      ++place;
    }
  }

  double number(const Json& cell, std::size_t row) const {
    const bool text = cell.kind() == Json::Kind::text;
    if (cell.is_null() || (text && missing_.count(stripped(cell.text())))) return absent(row);
    if (!has_categories_) return number_in(cell, row);
    if (counted_) {
      const double value = number_in(cell, row);
      const auto found = numbers_.find(value);
      return found != numbers_.end() ? found->second : unknown(Json(value), row);
    }
    const bool name = text || cell.kind() == Json::Kind::number || cell.kind() == Json::Kind::boolean;
    const auto found = name ? texts_.find(cell_text(cell)) : texts_.end();
    return found != texts_.end() ? found->second : unknown(cell, row);
  }

 private:
  double absent(std::size_t row) const {
    if (!may_lack_) throw Refused(where(row) + ": a value is missing, and this column needs one");
    return std::nan("");
  }

  // -1 for a category that is not known, where that may be.
  double unknown(const Json& cell, std::size_t row) const {
    if (unknown_is_none_) return -1;
    throw Refused(where(row) + ": " + short_cell(cell) + " is none of " + listed(shown_));
  }

  double number_in(const Json& cell, std::size_t row) const {
    const std::optional<double> found = numeral(cell);
    if (!found || !std::isfinite(*found))
      throw Refused(where(row) + ": " + short_cell(cell) + " is no number");
    return *found;
  }

  std::string where(std::size_t row) const {
    return "row " + std::to_string(row + 1) + ", column '" + name_ + "'";
  }

  std::string name_;
  bool unknown_is_none_, may_lack_ = false, has_categories_ = false, counted_ = true;
  std::set<std::string> missing_;
  std::map<double, int> numbers_;
  std::map<std::string, int> texts_;
  std::vector<std::string> shown_;
};

// Numbers as a dtype holds them.
std::vector<double> own_precision(DType dtype, const std::vector<double>& values) {
  return Tensor::of(dtype, Shape{static_cast<std::int64_t>(values.size())}, values).doubles();
}

bool fits(double x, DType dtype) {
  const bool is_signed = label(dtype)[0] != 'u';
  const double most = std::ldexp(1, static_cast<int>(8 * size_of(dtype)) - (is_signed ? 1 : 0));
  return x == std::rint(x) && x >= (is_signed ? -most : 0) && x < most;
}

}  // namespace

// Float64 [rows, columns]. Throws Refused, naming the row and the column.
Tensor decode_table(const Bytes& bytes, const Fields& options) {
  const std::vector<Json::List> rows = rows_of_table(bytes, options);
  const std::size_t most = static_cast<std::size_t>(options.whole("max_rows"));
  if (rows.empty()) throw Refused("the table holds no rows");
  if (rows.size() > most) {
    throw Refused("the table holds " + std::to_string(rows.size()) + " rows, expected " +
                      std::to_string(most) + " at most",
                  413);
  }
  std::vector<Column> columns;
  for (const std::string& name : options.texts("columns")) columns.emplace_back(name, options);
  std::vector<double> out;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) out.push_back(columns[i].number(rows[row][i], row));
  }
  return Tensor::of(Shape{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns.size())},
                    out);
}

// A number for each missing value, by column; null leaves it missing.
Tensor impute(const Tensor& value, const Fields& options) {
  std::vector<double> values, filled = value.doubles();
  for (const Json& one : options.list("values"))
    values.push_back(one.kind() == Json::Kind::number ? one.number() : std::nan(""));
  for (std::size_t i = 0; i < filled.size(); ++i)
    filled[i] = std::isnan(filled[i]) ? values[i % values.size()] : filled[i];
  return Tensor::of(value.shape(), filled);
}

// (x - mean) / scale along the last axis, in the value's own precision.
Tensor standardise(const Tensor& value, const Fields& options) {
  const std::vector<double> means = own_precision(value.dtype(), options.numbers("mean"));
  const std::vector<double> scales = own_precision(value.dtype(), options.numbers("scale"));
  std::vector<double> x = value.doubles();
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= means[i % means.size()];
  x = own_precision(value.dtype(), x);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] /= scales[i % scales.size()];
  return Tensor::of(value.dtype(), value.shape(), x);
}

// A column of a category's index becomes as many columns as it has; no index: all zeros. The nearest
// index counts: a step before may have rounded otherwise, and still means this one.
Tensor one_hot(const Tensor& value, const Fields& options) {
  std::vector<std::size_t> sizes;
  std::size_t width = 0;
  for (const Json& one : options.list("sizes")) {
    sizes.push_back(one.kind() == Json::Kind::number ? static_cast<std::size_t>(one.number()) : 0);
    width += std::max<std::size_t>(1, sizes.back());
  }
  if (value.shape().size() != 2 || static_cast<std::size_t>(value.shape()[1]) != sizes.size()) {
    throw std::invalid_argument("expected rows of " + std::to_string(sizes.size()) + " columns, not " +
                                value.said());
  }
  const std::vector<double> given = value.doubles();
  std::vector<double> out(static_cast<std::size_t>(value.shape()[0]) * width);
  std::size_t at = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::size_t size = sizes[i % sizes.size()];
    const double nearest = evenly(given[i]);
    if (size == 0)
      out[at] = given[i];
    else if (nearest >= 0 && nearest <= static_cast<double>(size) - 1)
      out[at + static_cast<std::size_t>(nearest)] = 1;
    at += std::max<std::size_t>(1, size);
  }
  return Tensor::of(value.dtype(), Shape{value.shape()[0], static_cast<std::int64_t>(width)}, out);
}

// The tensor's own dtype. Throws Refused where a value does not fit a whole number.
Tensor cast_rows(const Tensor& value, const Fields& options) {
  const DType dtype = dtype_named(options.text("dtype"));
  if (is_float(dtype) || dtype == DType::boolean || dtype == value.dtype()) return value.cast(dtype);
  const std::vector<double> given = value.doubles();
  const std::size_t rows = value.shape().empty() ? 1 : static_cast<std::size_t>(value.shape()[0]);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (fits(given[i], dtype)) continue;
    throw Refused("row " + std::to_string(i / std::max<std::size_t>(1, given.size() / rows) + 1) + " holds " +
                  pythonic(given[i]) + ", expected " + label(dtype));
  }
  return value.cast(dtype);
}

}  // namespace inner
}  // namespace deploy_target
