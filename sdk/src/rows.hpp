// The rows of a table, in the order of the columns that it shall have: bytes in UTF-8 -> cells.
//
// A cell of CSV is text. One of JSON is what it is there; null where an object lacks it.
#ifndef DEPLOY_TARGET_SRC_ROWS_HPP
#define DEPLOY_TARGET_SRC_ROWS_HPP

#include <string>
#include <vector>

#include "fields.hpp"

namespace deploy_target {
namespace inner {

// Every row's cells by column. Throws Refused.
std::vector<Json::List> rows_of_table(const Bytes& bytes, const Fields& options);

// CSV, read as strictly as Python's csv module with `strict`. A quote counts at the beginning of a
// value alone; two of them inside are one. Rows end with CR, LF or both; blank lines are none. Throws
// Refused.
std::vector<Json::List> csv_rows(const std::string& text, const std::string& delimiter);

// Names as a message lists them, and a cell as it shows it.
std::string listed(const std::vector<std::string>& names);
std::string short_cell(const Json& cell);

// A cell as text: a number as Python writes it.
std::string cell_text(const Json& cell);

}  // namespace inner
}  // namespace deploy_target

#endif
