// float16, which the language has no numbers for; and numbers cut off or rounded to whole ones.
#ifndef DEPLOY_TARGET_SRC_HALVES_HPP
#define DEPLOY_TARGET_SRC_HALVES_HPP

#include <cmath>
#include <cstdint>
#include <limits>

namespace deploy_target {
namespace inner {

inline double of_half(std::uint16_t bits) {
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 31) {
    return mantissa ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  }
  return exponent ? sign * std::ldexp(1024 + mantissa, exponent - 25) : sign * std::ldexp(mantissa, -24);
}

// To a whole number, of two equally near ones to the even one.
inline double evenly(double value) {
  const double low = std::floor(value), over = value - low;
  return over < 0.5 || (over == 0.5 && std::fmod(low, 2) == 0) ? low : low + 1;
}

// The nearest float16, as its bits; of two equally near ones the even one.
inline std::uint16_t to_half(double value) {
  const unsigned sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  if (std::isnan(size)) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (size >= 65520) return static_cast<std::uint16_t>(sign | 0x7c00);
  // The distance between two neighbours: of the exponent's, and never below 2^-24.
  const int exponent = size < std::ldexp(1, -14) ? -14 : std::ilogb(size);
  const int steps = static_cast<int>(evenly(std::ldexp(size, 10 - exponent)));
  // A mantissa that rounds up to 2048 carries into the exponent, as it should.
  return static_cast<std::uint16_t>(sign | static_cast<unsigned>(steps + ((exponent + 14) << 10)));
}

// Cut off to a whole number; what is beyond is the nearest there is, and no number is 0.
inline std::int64_t cut_off(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775808.0) return std::numeric_limits<std::int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

inline std::uint64_t cut_off_unsigned(double value) {
  if (!(value > 0)) return 0;
  if (value >= 18446744073709551616.0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(value);
}

// The larger of two; no number where one of them is none.
template <class T>
T larger(T a, T b) {
  return a >= b || std::isnan(a) ? a : b;
}

}  // namespace inner
}  // namespace deploy_target

#endif
