package dev.deploytarget.core.steps

import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/*
 * Which old rows a new one is made of, and their weights, as torch has them, in float32.
 *
 * In: the old and the new number of rows. Out: Taps. Another method is a function that gives them,
 * and a line in `taps`.
 */

/** Of each new row [many] old rows, and their weights. */
internal class Taps(val many: Int, val places: IntArray, val weights: FloatArray)

internal fun taps(old: Int, made: Int, interpolation: String, antialias: String): Taps = when {
    interpolation == "nearest" -> nearest(old, made)
    interpolation == "area" -> area(old, made)
    antialias == "torch" -> antialiased(old, made, interpolation)
    interpolation == "bilinear" -> linear(old, made)
    interpolation == "bicubic" -> cubic(old, made)
    else -> throw IllegalArgumentException("no interpolation is named \"$interpolation\"")
}

private fun nearest(old: Int, made: Int): Taps {
    val ratio = old.toFloat() / made.toFloat()
    return Taps(1, IntArray(made) { min((it.toFloat() * ratio).toInt(), old - 1) }, FloatArray(made) { 1f })
}

/** The mean of all old rows that a new one touches, each counted in full. */
private fun area(old: Int, made: Int): Taps {
    val first = { i: Int -> (i.toLong() * old / made).toInt() }
    val end = { i: Int -> (((i + 1L) * old + made - 1) / made).toInt() }
    return spans(old, made, first, end) { _, _ -> 1f }
}

private fun antialiased(old: Int, made: Int, interpolation: String): Taps {
    val ratio = old.toFloat() / made.toFloat()
    val spread = max(ratio, 1f)
    val support = (if (interpolation == "bilinear") 1f else 2f) * spread
    val inverse = 1f / spread
    val centre = { i: Int -> ratio * (i.toFloat() + 0.5f) }
    return spans(
        old,
        made,
        { i -> max(floor(centre(i) - support + 0.5f), 0f).toInt() },
        { i -> min(floor(centre(i) + support + 0.5f).toInt(), old) },
    ) { row, i -> kernel((row.toFloat() - centre(i) + 0.5f) * inverse, interpolation, -0.5f) }
}

/** Taps from spans of rows of unequal length; the weights of each new row sum to 1. */
private fun spans(old: Int, made: Int, first: (Int) -> Int, end: (Int) -> Int, weigh: (Int, Int) -> Float): Taps {
    val many = (0 until made).maxOf { end(it) - first(it) }
    val places = IntArray(made * many)
    val weights = FloatArray(made * many)
    for (i in 0 until made) {
        val (from, to) = first(i) to end(i)
        var sum = 0.0
        for (t in 0 until many) {
            places[i * many + t] = min(from + t, old - 1)
            if (from + t < to) weights[i * many + t] = weigh(from + t, i)
            sum += weights[i * many + t]
        }
        for (t in i * many until (i + 1) * many) weights[t] /= sum.toFloat()
    }
    return Taps(many, places, weights)
}

private fun kernel(away: Float, interpolation: String, a: Float): Float {
    val x = abs(away)
    return when {
        interpolation == "bilinear" -> max(1 - x, 0f)
        x < 1 -> ((a + 2) * x - (a + 3)) * x * x + 1
        x < 2 -> ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        else -> 0f
    }
}

private fun linear(old: Int, made: Int): Taps {
    val places = IntArray(2 * made)
    val weights = FloatArray(2 * made)
    for (i in 0 until made) {
        val place = max(centreOf(i, old, made), 0f)
        val first = min(place.toInt(), old - 1)
        val share = min(max(place - first.toFloat(), 0f), 1f)
        places[2 * i] = first
        places[2 * i + 1] = min(first + 1, old - 1)
        weights[2 * i] = 1 - share
        weights[2 * i + 1] = share
    }
    return Taps(2, places, weights)
}

private fun cubic(old: Int, made: Int): Taps {
    val places = IntArray(4 * made)
    val weights = FloatArray(4 * made)
    for (i in 0 until made) {
        val place = centreOf(i, old, made)
        val first = floor(place)
        for (t in 0 until 4) {
            places[4 * i + t] = min(max(first.toInt() + t - 1, 0), old - 1)
            weights[4 * i + t] = kernel(place - first - (t - 1), "bicubic", -0.75f)
        }
    }
    return Taps(4, places, weights)
}

/** Where the centre of a new row lies, in old rows: rounded once, at the end. */
private fun centreOf(i: Int, old: Int, made: Int): Float =
    ((old.toFloat() / made.toFloat()).toDouble() * (i + 0.5) - 0.5).toFloat()
