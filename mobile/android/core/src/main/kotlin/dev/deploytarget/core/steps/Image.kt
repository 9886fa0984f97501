package dev.deploytarget.core.steps

import dev.deploytarget.core.DType
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.countOf
import dev.deploytarget.core.evenly
import dev.deploytarget.core.gathered
import dev.deploytarget.core.permuted
import java.nio.ByteBuffer

/*
 * From pixels to the model's tensor: crop, pad, exchange channels, scale, lay out.
 *
 * In: [height, width, channels], of whatever dtype the step before gave. A photo becomes pixels in
 * DecodeImage.kt, and is made larger or smaller in Resize.kt.
 */

/** The middle of the image; where it is too small, zeros around it first. */
internal fun crop(value: Tensor, frame: Frame, options: Fields): Tensor {
    val (height, width) = sides(value)
    val (tall, wide) = options.ints("size")
    val (top, left) = begin(height, tall) to begin(width, wide)
    frame.moved(-left, -top)
    return placed(value, tall, wide, -top, -left, 0.0)
}

/** Which of the old rows is the first of the new ones; below 0 where there are too few. */
private fun begin(ours: Int, size: Int): Int {
    val missing = maxOf(0, size - ours)
    return evenly((ours + missing - size) / 2.0).toInt() - missing / 2
}

/** The image on a larger ground, in its middle or in its top left corner. Throws Refused. */
internal fun pad(value: Tensor, frame: Frame, options: Fields): Tensor {
    val (height, width) = sides(value)
    val (tall, wide) = options.ints("to")
    if (tall < height || wide < width) {
        throw Refused("the image is $width x $height, larger than $wide x $tall", 413)
    }
    val centre = options.text("at") == "centre"
    val top = if (centre) (tall - height) / 2 else 0
    val left = if (centre) (wide - width) / 2 else 0
    frame.moved(left, top)
    return placed(value, tall, wide, top, left, options.number("value"))
}

/** The channels in another order: [2, 1, 0] is BGR. */
internal fun channels(value: Tensor, options: Fields): Tensor {
    val (height, width, old) = sides(value)
    val order = options.ints("order").toIntArray()
    val many = order.size
    return value.gathered(listOf(height, width, many)) { i -> i / many * old + order[i % many] }
}

/** (value * by - mean) / std for each channel, in float32; then as `dtype`. */
internal fun scale(value: Tensor, options: Fields): Tensor {
    val depth = sides(value)[2]
    val by = options.number("by").toFloat()
    val (mean, std) = perChannel(options, "mean", depth) to perChannel(options, "std", depth)
    val made = value.floats()
    for (i in made.indices) {
        val c = i % depth
        made[i] = (made[i] * by - mean[c]) / std[c]
    }
    return Tensor.of(value.shape, made).cast(DType.named(options.text("dtype")))
}

private fun perChannel(options: Fields, name: String, depth: Int): FloatArray {
    val given = options.numbers(name)
    require(given.size == 1 || given.size == depth) { "$name has ${given.size} numbers, expected 1 or $depth" }
    return FloatArray(depth) { given[if (given.size == 1) 0 else it].toFloat() }
}

/** The axes as the model has them: "nchw", "nhwc", "chw" or "hwc"; n is 1. */
internal fun layout(value: Tensor, options: Fields): Tensor {
    sides(value)
    val order = options.text("order")
    val laid = if (order.endsWith("chw")) permuted(value, listOf(2, 0, 1)) else value
    return if (order.startsWith("n")) laid.reshaped(listOf(1) + laid.shape) else laid
}

/** An image whose first row and column come to lie at a place on a ground; what does not fit is cut off. */
private fun placed(value: Tensor, tall: Int, wide: Int, top: Int, left: Int, ground: Double): Tensor {
    val (height, width, depth) = sides(value)
    val size = value.dtype.size
    val old = value.plain()
    val made = ByteArray(countOf(listOf(tall, wide, depth)) * size)
    if (ground != 0.0) {
        val one = Tensor.of(value.dtype, listOf(1), doubleArrayOf(ground)).bytes()
        for (i in made.indices) made[i] = one[i % size]
    }
    val from = maxOf(0, -left)
    val long = (minOf(width, wide - left) - from) * depth * size
    for (y in maxOf(0, -top) until minOf(height, tall - top)) {
        if (long <= 0) break
        System.arraycopy(old, (y * width + from) * depth * size, made, ((y + top) * wide + from + left) * depth * size, long)
    }
    return Tensor(value.dtype, listOf(tall, wide, depth), ByteBuffer.wrap(made))
}

/** Height, width and channels. */
internal fun sides(value: Tensor): List<Int> =
    value.shape.also { require(it.size == 3) { "an image has three axes, not $it" } }
