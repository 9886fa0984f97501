package dev.deploytarget.core

import java.math.BigDecimal
import java.math.MathContext
import java.math.RoundingMode
import kotlin.math.abs

/*
 * Numbers as texts, by the fewest digits that read back the same. What the platform prints has more
 * digits now and then, and other ones from version to version.
 */

/** The shortest decimal that [same] takes for [value], which is finite. */
internal fun shortest(value: Double, most: Int, same: (Double) -> Boolean): BigDecimal {
    val exact = BigDecimal(value)
    for (digits in 1 until most) {
        val short = exact.round(MathContext(digits, RoundingMode.HALF_EVEN))
        if (same(short.toDouble())) return short
    }
    return exact.round(MathContext(most, RoundingMode.HALF_EVEN))
}

/** A number as Python writes a float. */
internal fun pythonic(value: Double): String {
    if (value.isNaN()) return "nan"
    if (value.isInfinite()) return if (value > 0) "inf" else "-inf"
    if (value == 0.0) return if (1 / value < 0) "-0.0" else "0.0"
    val short = shortest(value, 17) { it == value }.stripTrailingZeros()
    if (abs(value) >= 1e16 || abs(value) < 1e-4) return scientific(short)
    val plain = short.toPlainString()
    return if ('.' in plain) plain else "$plain.0"
}

private fun scientific(short: BigDecimal): String {
    val digits = short.unscaledValue().abs().toString()
    val exponent = digits.length - 1 - short.scale()
    val rest = if (digits.length > 1) "." + digits.substring(1) else ""
    val sign = if (short.signum() < 0) "-" else ""
    val power = (if (exponent < 0) "-" else "+") + abs(exponent).toString().padStart(2, '0')
    return "$sign${digits[0]}${rest}e$power"
}
