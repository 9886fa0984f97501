package dev.deploytarget.core

import kotlin.math.abs
import kotlin.math.floor

/*
 * float16, which the language has no numbers for: its bits <-> a number.
 */

/** The number that the bits of a float16 stand for. */
internal fun ofHalf(bits: Int): Double {
    val sign = if (bits and 0x8000 != 0) -1.0 else 1.0
    val exponent = (bits ushr 10) and 31
    val mantissa = bits and 1023
    return when (exponent) {
        31 -> if (mantissa != 0) Double.NaN else sign * Double.POSITIVE_INFINITY
        0 -> sign * mantissa * power(-24)
        else -> sign * (1024 + mantissa) * power(exponent - 25)
    }
}

/** The nearest float16, as its bits; of two equally near the even one. */
internal fun toHalf(value: Double): Short {
    val bits = value.toRawBits()
    val sign = ((bits ushr 48) and 0x8000).toInt()
    val size = abs(value)
    if (size.isNaN()) return (sign or 0x7e00).toShort()
    if (size >= 65520) return (sign or 0x7c00).toShort()
    // The distance between two neighbours: of the exponent's, and never below 2^-24.
    val exponent = maxOf(((bits ushr 52) and 0x7ff).toInt() - 1023, -14)
    val steps = evenly(size * power(10 - exponent)).toInt()
    // A mantissa that rounds up to 2048 carries into the exponent, as it should.
    return (sign or (steps + ((exponent + 14) shl 10))).toShort()
}

/** A number rounded to a whole one, of two equally near the even one. */
internal fun evenly(value: Double): Double {
    val low = floor(value)
    val over = value - low
    return if (over < 0.5 || (over == 0.5 && low % 2.0 == 0.0)) low else low + 1
}

/** 2 to a power from -1022 to 1023. */
private fun power(exponent: Int): Double = Double.fromBits((exponent + 1023L) shl 52)
