package dev.deploytarget.core.steps

import dev.deploytarget.core.DType
import dev.deploytarget.core.Tensor
import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.max
import kotlin.math.min

/*
 * Pillow's resize of 8-bit images, to the bit: weights in whole numbers, one side at a time.
 *
 * In: uint8 [height, width, channels]. Out: the same at the new size. What is between the two sides
 * is rounded, so that their order can be seen in the answer.
 */

/** Bits of a weight after the point: with 8 of a level, a sum just fits into 32. */
private const val BITS = 22

/** Of each new row its [first] old one, how many there are, and [many] weights as whole numbers. */
private class Whole(val many: Int, val first: IntArray, val count: IntArray, val weights: IntArray)

internal fun byPillow(value: Tensor, tall: Int, wide: Int, interpolation: String, passes: String): Tensor {
    require(value.dtype == DType.UINT8) { "Pillow's resize takes uint8, not $value" }
    val (height, width) = sides(value)
    if (!heightFirst(passes, height, width, tall, wide)) {
        return resizedRows(resizedColumns(value, wide, interpolation), tall, interpolation)
    }
    return resizedColumns(resizedRows(value, tall, interpolation), wide, interpolation)
}

/**
 * Whether Pillow begins with the height: "width" (up to 12.1) never, "12.2" where the image is over
 * 100 times as tall as wide, "13" where it loses over twice as many rows as columns.
 */
private fun heightFirst(passes: String, height: Int, width: Int, tall: Int, wide: Int): Boolean {
    val (rows, columns) = height - tall to width - wide
    return rows > 0 && (passes == "12.2" && height > 100 * width || passes == "13" && rows > 2 * columns)
}

private fun weightsOf(old: Int, made: Int, interpolation: String) = when (interpolation) {
    "nearest" -> nearest(old, made)
    "area" -> whole(old, made, 0.5) { x -> if (x > -0.5 && x <= 0.5) 1.0 else 0.0 }
    "bilinear" -> whole(old, made, 1.0) { x -> max(0.0, 1 - abs(x)) }
    "bicubic" -> whole(old, made, 2.0, ::bicubic)
    else -> throw IllegalArgumentException("no interpolation is named \"$interpolation\"")
}

/** The place is summed up, step by step, as there: multiplied, it would differ now and then. */
private fun nearest(old: Int, made: Int): Whole {
    val step = old.toDouble() / made
    var place = step * 0.5
    val first = IntArray(made) { min(place.toInt(), old - 1).also { place += step } }
    return Whole(1, first, IntArray(made) { 1 }, IntArray(made) { 1 shl BITS })
}

private fun whole(old: Int, made: Int, reach: Double, weigh: (Double) -> Double): Whole {
    val ratio = old.toDouble() / made
    val spread = max(ratio, 1.0)
    val support = reach * spread
    val many = ceil(support).toInt() * 2 + 1
    val by = Whole(many, IntArray(made), IntArray(made), IntArray(made * many))
    for (i in 0 until made) {
        val centre = (i + 0.5) * ratio
        val begin = max((centre - support + 0.5).toInt(), 0)
        val end = min((centre + support + 0.5).toInt(), old)
        val own = DoubleArray(end - begin) { weigh((it + begin - centre + 0.5) * (1 / spread)) }
        val sum = own.sum()
        by.first[i] = begin
        by.count[i] = own.size
        own.forEachIndexed { t, weight -> by.weights[i * many + t] = fixed(if (sum == 0.0) weight else weight / sum) }
    }
    return by
}

private fun fixed(weight: Double) = (weight * (1 shl BITS) + if (weight < 0) -0.5 else 0.5).toInt()

private fun bicubic(away: Double): Double {
    val (x, a) = abs(away) to -0.5
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
    return if (x < 2) (((x - 5) * x + 8) * x - 4) * a else 0.0
}

private fun resizedColumns(image: Tensor, wide: Int, interpolation: String): Tensor {
    val (height, width, depth) = image.shape
    if (width == wide) return image
    val by = weightsOf(width, wide, interpolation)
    val data = image.plain()
    val pixels = ByteArray(height * wide * depth)
    var to = 0
    for (y in 0 until height) {
        for (i in 0 until wide) {
            val start = (y * width + by.first[i]) * depth
            for (c in 0 until depth) {
                var at = start + c
                var sum = 1 shl (BITS - 1)
                for (w in i * by.many until i * by.many + by.count[i]) {
                    sum += (data[at].toInt() and 255) * by.weights[w]
                    at += depth
                }
                pixels[to++] = level(sum)
            }
        }
    }
    return Tensor.of(listOf(height, wide, depth), pixels)
}

private fun resizedRows(image: Tensor, tall: Int, interpolation: String): Tensor {
    val (height, width, depth) = image.shape
    if (height == tall) return image
    val by = weightsOf(height, tall, interpolation)
    val line = width * depth
    val data = image.plain()
    val pixels = ByteArray(tall * line)
    val sums = IntArray(line)
    for (i in 0 until tall) {
        sums.fill(1 shl (BITS - 1))
        for (t in 0 until by.count[i]) {
            val weight = by.weights[i * by.many + t]
            val from = (by.first[i] + t) * line
            for (x in 0 until line) sums[x] += (data[from + x].toInt() and 255) * weight
        }
        for (x in 0 until line) pixels[i * line + x] = level(sums[x])
    }
    return Tensor.of(listOf(tall, width, depth), pixels)
}

private fun level(sum: Int): Byte = min(max(sum shr BITS, 0), 255).toByte()
