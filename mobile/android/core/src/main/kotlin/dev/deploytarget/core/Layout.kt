package dev.deploytarget.core

import java.nio.ByteBuffer

/*
 * Tensors laid out otherwise: axes in another order, rows taken out, pieces put together.
 */

/** A shape as a loop along one axis sees it: element (o, i, n) is at (o * along + i) * inner + n. */
internal class Around(shape: List<Int>, axis: Int) {
    val at = if (axis < 0) axis + shape.size else axis
    val along: Int
    val outer: Int
    val inner: Int

    init {
        require(at in shape.indices) { "$shape has no axis $axis" }
        along = shape[at]
        outer = countOf(shape.subList(0, at))
        inner = countOf(shape.subList(at + 1, shape.size))
    }
}

/** A tensor of that shape whose element i is the given one's at [from] of i, asked for in order. */
internal inline fun Tensor.gathered(shape: List<Int>, from: (Int) -> Int): Tensor {
    val size = dtype.size
    val old = plain()
    val made = ByteArray(countOf(shape) * size)
    var to = 0
    for (i in 0 until made.size / size) {
        val start = from(i) * size
        for (byte in start until start + size) made[to++] = old[byte]
    }
    return Tensor(dtype, shape, ByteBuffer.wrap(made))
}

/** Its axes in another order, as numpy's transpose; the very same tensor where there is none. */
internal fun permuted(tensor: Tensor, axes: List<Int>?): Tensor {
    if (axes == null || axes.withIndex().all { (index, axis) -> index == axis }) return tensor
    require(axes.sorted() == tensor.shape.indices.toList()) { "$tensor cannot be laid out as $axes" }
    val shape = axes.map { tensor.shape[it] }
    return walked(tensor, shape, axes.map { strideOf(tensor.shape, it) })
}

/** A tensor of that shape whose neighbours along each axis lie so many elements apart in the given. */
internal fun walked(tensor: Tensor, shape: List<Int>, strides: List<Int>): Tensor {
    val at = IntArray(shape.size)
    val sizes = shape.toIntArray()
    val steps = strides.toIntArray()
    var next = 0
    return tensor.gathered(shape) {
        val here = next
        var axis = sizes.size - 1
        while (axis >= 0) {
            next += steps[axis]
            at[axis] += 1
            if (at[axis] < sizes[axis]) break
            next -= steps[axis] * sizes[axis]
            at[axis] = 0
            axis -= 1
        }
        here
    }
}

/** How many elements lie between two neighbours along an axis. */
internal fun strideOf(shape: List<Int>, axis: Int): Int = countOf(shape.subList(axis + 1, shape.size))

/** The order of axes that undoes another. */
internal fun inverse(axes: List<Int>?): List<Int>? = axes?.indices?.map { axes.indexOf(it) }

/** Rows along an axis; where that is a product, a row is several elements wide. [whole]: how many. */
internal fun taken(tensor: Tensor, axis: Int?, whole: Int, rows: IntArray): Tensor {
    if (axis == null) return tensor
    val around = Around(tensor.shape, axis)
    val wide = around.along / whole
    val width = wide * around.inner * tensor.dtype.size
    val old = tensor.plain()
    val made = ByteArray(around.outer * rows.size * width)
    for (o in 0 until around.outer) {
        rows.forEachIndexed { i, row ->
            System.arraycopy(old, (o * whole + row) * width, made, (o * rows.size + i) * width, width)
        }
    }
    return Tensor(tensor.dtype, resized(tensor.shape, axis, wide * rows.size), ByteBuffer.wrap(made))
}

/** Pieces one after the other along an axis. */
internal fun joined(pieces: List<Tensor>, axis: Int): Tensor {
    val first = pieces.first()
    if (pieces.size == 1) return first
    val shape = resized(first.shape, axis, pieces.sumOf { it.shape[axis] })
    val around = Around(shape, axis)
    val made = ByteArray(countOf(shape) * first.dtype.size)
    val old = pieces.map { it.plain() to it.shape[axis] * around.inner * first.dtype.size }
    var to = 0
    for (o in 0 until around.outer) {
        for ((bytes, width) in old) {
            System.arraycopy(bytes, o * width, made, to, width)
            to += width
        }
    }
    return Tensor(first.dtype, shape, ByteBuffer.wrap(made))
}

private fun resized(shape: List<Int>, axis: Int, size: Int) = shape.mapIndexed { index, old -> if (index == axis) size else old }
