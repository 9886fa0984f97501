package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.gathered
import kotlin.math.floor

/*
 * Masks: from scores of each pixel to the class of each pixel, on the photo as it was sent.
 */

/** Of a pixel: rounding must not decide where a centre lies on the border of two pixels. */
private const val SLACK = 1e-6

/** The class of the largest score along `axis`, uint8: of equal ones the lower, NaN never. */
internal fun argmax(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val scores = given.floats()
    val around = Around(given.shape, options.int("axis"))
    val inner = around.inner
    val classes = ByteArray(around.outer * inner)
    val best = FloatArray(inner)
    for (o in 0 until around.outer) {
        best.fill(Float.NEGATIVE_INFINITY)
        for (i in 0 until around.along) {
            for (n in 0 until inner) {
                val score = scores[(o * around.along + i) * inner + n]
                if (!(score > best[n])) continue
                best[n] = score
                classes[o * inner + n] = i.toByte()
            }
        }
    }
    tensors[of] = Tensor.of(given.shape.filterIndexed { axis, _ -> axis != around.at }, classes)
}

/** 1 where the only score along `axis` is above `at`, else 0; uint8. */
internal fun above(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val around = Around(given.shape, options.int("axis"))
    require(around.along == 1) { "\"$of\" has ${around.along} scores of each pixel, not 1" }
    val least = options.number("at").toFloat()
    val scores = given.floats()
    val mask = ByteArray(scores.size) { if (scores[it] > least) 1 else 0 }
    tensors[of] = Tensor.of(given.shape.filterIndexed { axis, _ -> axis != around.at }, mask)
}

/**
 * [1, h, w] of what the model saw -> [1, height, width] of the photo.
 *
 * A pixel takes the class at its own centre, on a border the later one; a pixel that the model did
 * not see, that of the nearest that it saw. `size` is what the model saw, where the mask is of
 * another size.
 */
internal fun resizeMask(tensors: MutableMap<String, Tensor>, of: String, frame: Frame, options: Fields) {
    val mask = named(tensors, of)
    val (many, have, across) = mask.shape.also { require(it.size == 3) { "a mask has three axes, not $it" } }
    val (height, width) = frame.photo()
    val (sx, sy, ox, oy) = frame.placed()
    val (tall, wide) = options.intsOrNull("size") ?: listOf(have, across)
    val rows = nearest(height, sy, oy, have, tall)
    val columns = nearest(width, sx, ox, across, wide)
    tensors[of] = mask.gathered(listOf(many, height, width)) { i ->
        val line = i / width
        (line / height * have + rows[line % height]) * across + columns[i % width]
    }
}

private fun nearest(count: Int, by: Double, offset: Double, have: Int, saw: Int) = IntArray(count) { i ->
    val centre = ((i + 0.5) * by + offset) * (have.toDouble() / saw)
    floor(centre + SLACK).toInt().coerceIn(0, have - 1)
}
