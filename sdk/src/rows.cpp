#include "rows.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "text.hpp"

namespace deploy_target {
namespace inner {

namespace {

// In a header, where the table itself does not ask for more.
constexpr std::size_t MOST_COLUMNS = 10000;

using Names = std::vector<std::string>;

std::string text_of(const Bytes& bytes) {
  std::string text(bytes.begin(), bytes.end());
  if (!is_utf8(text)) throw Refused("this is no text in UTF-8; send CSV or JSON", 415);
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);
  if (stripped(text).empty()) throw Refused("the body is empty; send CSV or JSON");
  return text;
}

std::string quoted_name(const std::string& name) { return short_cell(Json(name)); }

void refuse_more(const std::string& where, const Names& names, const Names& columns) {
  const std::set<std::string> asked(columns.begin(), columns.end());
  for (const std::string& name : names) {
    if (asked.count(name)) continue;
    throw Refused(where + " has a column " + quoted_name(name) + ", which is not among those expected");
  }
}

// Where each column lies among the names of a header.
std::vector<std::size_t> places_of(const Names& names, const Names& columns, bool strict) {
  const std::size_t most = std::max(MOST_COLUMNS, columns.size());
  if (names.size() > most) {
    throw Refused("the header names " + std::to_string(names.size()) + " columns, expected " +
                      std::to_string(most) + " at most",
                  413);
  }
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!at.emplace(names[i], i).second)
      throw Refused("the header names column " + quoted_name(names[i]) + " twice");
  }
  std::vector<std::size_t> found;
  for (const std::string& column : columns) {
    if (!at.count(column))
      throw Refused("the header has no column '" + column + "'; it has " + listed(names));
    found.push_back(at.at(column));
  }
  if (strict) refuse_more("the header", names, columns);
  return found;
}

std::string named_delimiter(const std::string& delimiter) {
  if (delimiter == ",") return "commas";
  if (delimiter == ";") return "semicolons";
  if (delimiter == "\t") return "tabs";
  return delimiter == "|" ? "bars" : "'" + delimiter + "'";
}

std::vector<Json::List> from_csv(const std::string& text, const Names& columns, bool strict,
                                 const Fields& options) {
  const std::string delimiter = options.text("delimiter");
  std::vector<Json::List> lines = csv_rows(text, delimiter);
  const bool header = options.flag("header");
  Names names = columns;
  if (header) {
    names.clear();
    for (const Json& name : lines.empty() ? Json::List() : lines[0]) names.push_back(stripped(name.text()));
    if (!lines.empty()) lines.erase(lines.begin());
  }
  if (header && names.size() == 1 && columns.size() > 1) {
    throw Refused("the header names one column, " + quoted_name(names[0]) +
                  "; expected columns set apart by " + named_delimiter(delimiter));
  }
  const std::vector<std::size_t> at = places_of(names, columns, strict);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() != names.size()) {
      throw Refused("row " + std::to_string(i + 1) + " has " + std::to_string(lines[i].size()) +
                    " values, expected " + std::to_string(names.size()));
    }
    Json::List row;
    for (const std::size_t place : at) row.push_back(lines[i][place]);
    lines[i] = std::move(row);
  }
  return lines;
}

Json::List from_json_row(const Json& row, const std::string& where, const Names& columns, bool strict) {
  if (row.kind() == Json::Kind::object) {
    Names names;
    for (const auto& one : row.object()) names.push_back(one.first);
    if (strict) refuse_more(where, names, columns);
    Json::List cells;
    for (const std::string& column : columns) cells.push_back(row[column]);
    return cells;
  }
  if (row.kind() != Json::Kind::list)
    throw Refused(where + " is no object and no list, as in [{...}, ...] or [[...], ...]");
  if (row.list().size() != columns.size()) {
    throw Refused(where + " has " + std::to_string(row.list().size()) + " values, expected " +
                  std::to_string(columns.size()));
  }
  return row.list();
}

std::vector<Json::List> from_json(const std::string& text, const Names& columns, bool strict) {
  Json found;
  try {
    found = Json::read(text);
  } catch (const Json::Wrong& error) {
    throw Refused(std::string("the JSON cannot be read: ") + error.what());
  }
  std::vector<Json::List> rows;
  const Json::List alone{found};
  for (const Json& row : found.kind() == Json::Kind::list ? found.list() : alone) {
    rows.push_back(from_json_row(row, "row " + std::to_string(rows.size() + 1), columns, strict));
  }
  return rows;
}

std::string cut(const std::string& text, std::size_t most) {
  return letters(text) <= most ? text : first_letters(text, most - 3) + "...";
}

}  // namespace

std::vector<Json::List> rows_of_table(const Bytes& bytes, const Fields& options) {
  const std::string text = text_of(bytes);
  const char first = stripped(text)[0];
  const Names columns = options.texts("columns");
  const bool strict = options.text("extra") == "refuse";
  return first == '[' || first == '{' ? from_json(text, columns, strict)
                                      : from_csv(text, columns, strict, options);
}

std::string listed(const Names& names) { return cut(joined(names, ", "), 120); }

std::string cell_text(const Json& cell) {
  if (cell.kind() == Json::Kind::text) return cell.text();
  if (cell.kind() == Json::Kind::number && !cell.whole()) return pythonic(cell.number());
  return cell.write() == "-0" ? "0" : cell.write();
}

std::string short_cell(const Json& cell) {
  if (cell.kind() == Json::Kind::object) return "an object";
  if (cell.kind() == Json::Kind::list) return "a list";
  const bool text = cell.kind() == Json::Kind::text;
  return cut(text ? "'" + cell.text() + "'" : cell_text(cell), 40);
}

}  // namespace inner
}  // namespace deploy_target
