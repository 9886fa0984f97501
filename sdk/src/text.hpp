// Texts in UTF-8, and numbers as texts.
#ifndef DEPLOY_TARGET_SRC_TEXT_HPP
#define DEPLOY_TARGET_SRC_TEXT_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace deploy_target {
namespace inner {

// The nearest float64 of a number that is written as JSON writes it, whatever the locale.
double number_of(const std::string& text);

// The shortest decimal that `same` takes for a value, which is finite.
double shortest(double value, int most, const std::function<bool(double)>& same);

// A number as Python writes a float.
std::string pythonic(double value);

// Whether all of it is UTF-8: no cut letters, none written longer than need be, no halves of pairs.
bool is_utf8(const std::string& text);

// The same with a question mark for each byte that is no UTF-8.
std::string sound(const std::string& text);

// Appends a letter by its number.
void append(std::string& text, std::uint32_t letter);

std::size_t letters(const std::string& text);

// The first letters of a text, as many as asked for.
std::string first_letters(const std::string& text, std::size_t many);

// Without blanks at both ends, as Python knows them: a byte order mark is none, and the separators
// of ASCII are.
std::string stripped(const std::string& text);

std::string joined(const std::vector<std::string>& parts, const std::string& between);

// Everything `from`, wherever it stands, is `to`.
std::string replaced(const std::string& text, const std::string& from, const std::string& to);

}  // namespace inner
}  // namespace deploy_target

#endif
