package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.strideOf
import dev.deploytarget.core.walked
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

/*
 * Recordings: from samples to pieces of one length, frames, and samples of one loudness.
 *
 * In: float32 [..., samples]. Out: the same, or [..., time, samples of a frame]. Files are read in
 * DecodeAudio.kt, another rate is made in Resample.kt, the spectrogram in LogMel.kt.
 */

/** Just `samples`, silence added at one end or cut off there; never fewer than `least`. */
internal fun length(value: Tensor, options: Fields): Tensor {
    val around = Around(value.shape, -1)
    val (n, samples) = around.along to options.intOrNull("samples")
    val (least, pad) = options.int("least") to options.text("pad")
    if (n < least && (samples == null || pad == "refuse")) {
        throw Refused("the recording has $n samples at this rate, expected $least at least")
    }
    if (samples == null || n == samples) return value
    val end = if (n < samples) pad else options.text("trim")
    if (end == "refuse") throw Refused("the recording has $n samples at this rate, expected $samples")
    val given = value.floats()
    val out = FloatArray(around.outer * samples)
    val from = if (end == "start") max(0, n - samples) else 0
    val to = if (end == "start") max(0, samples - n) else 0
    for (o in 0 until around.outer) {
        given.copyInto(out, o * samples + to, o * n + from, o * n + min(n, from + samples))
    }
    return Tensor.of(value.shape.dropLast(1) + samples, out)
}

/**
 * [..., time, size]: overlapping pieces; a rest that fills none is dropped, or with pad "end" filled
 * up with silence; "centre" pads half a frame at both ends.
 */
internal fun frames(value: Tensor, options: Fields): Tensor {
    val around = Around(value.shape, -1)
    val (size, hop) = options.int("size") to options.int("hop")
    val (before, after) = addedTo(around.along, size, hop, options.text("pad"))
    val long = before + around.along + after
    require(long >= size) { "${around.along} samples are less than a frame of $size" }
    val time = (long - size) / hop + 1
    val given = value.doubles()
    val out = FloatArray(around.outer * time * size)
    var to = 0
    for (o in 0 until around.outer) {
        val x = padded(given, o * around.along, around.along, before, after, options.text("pad_mode"))
        for (t in 0 until time) for (i in 0 until size) out[to++] = x[t * hop + i].toFloat()
    }
    return Tensor.of(value.shape.dropLast(1) + listOf(time, size), out)
}

/** How many samples are added at both ends. */
private fun addedTo(n: Int, size: Int, hop: Int, pad: String): Pair<Int, Int> {
    if (pad == "centre") return size / 2 to size / 2
    if (pad != "end") return 0 to 0
    val over = n - size
    return 0 to if (over > 0) (hop - over % hop) % hop else -over
}

/** Samples of one row with more around them; "reflect" does not repeat the edge, "constant" is silence. */
internal fun padded(x: DoubleArray, from: Int, long: Int, before: Int, after: Int, mode: String): DoubleArray {
    val out = DoubleArray(before + long + after)
    x.copyInto(out, before, from, from + long)
    if (mode != "reflect") return out
    val period = max(1, 2 * (long - 1))
    for (at in out.indices) {
        if (at in before until before + long) continue
        val there = Math.floorMod(at - before, period)
        if (long > 0) out[at] = x[from + min(min(there, period - there), long - 1)]
    }
    return out
}

/** (x - mean) / max(sqrt(variance + epsilon), floor), over each frame or the whole recording. */
internal fun normalise(value: Tensor, options: Fields): Tensor {
    val x = value.doubles()
    val over = options.text("over")
    val around = if (over == "recording") Around(listOf(x.size), 0) else Around(value.shape, if (over == "frame") -1 else -2)
    val (epsilon, floor) = options.number("epsilon") to options.number("floor")
    val ddof = options.int("ddof")
    val free = max(around.along, ddof + 1) - ddof
    val out = FloatArray(x.size)
    for (o in 0 until around.outer) {
        for (n in 0 until around.inner) {
            val start = o * around.along * around.inner + n
            val places = start until start + around.along * around.inner step around.inner
            val mean = places.sumOf { x[it] } / around.along
            val squares = places.sumOf { (x[it] - mean) * (x[it] - mean) }
            val spread = max(sqrt(squares / free + epsilon), floor)
            for (i in places) out[i] = ((x[i] - mean) / spread).toFloat()
        }
    }
    return Tensor.of(value.shape, out)
}

/** Axes by name in another order; a name that was not given becomes an axis of one. */
internal fun arrange(value: Tensor, options: Fields): Tensor {
    val given = options.texts("given")
    val places = options.texts("to").map { given.indexOf(it) }
    val shape = places.map { if (it < 0) 1 else value.shape[it] }
    return walked(value, shape, places.map { if (it < 0) 0 else strideOf(value.shape, it) })
}
