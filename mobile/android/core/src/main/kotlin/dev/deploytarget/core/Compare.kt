package dev.deploytarget.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.hypot
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

/*
 * Is an answer as near to the original's as the manifest allows?
 *
 * In: what the original answered, what came, and how far the original strays from itself. Out: how
 * far it is, and why that is too far. The bounds are those by which the bundle was judged when it
 * was built. Every comparison is written as "is within", so NaN fails.
 */

/** The smallest normal float32: some runtimes flush to zero what is smaller. */
private const val TINY = 1.1754943508222875e-38

/** How many more elements may jump than the original's own did, and how many where none did. */
private const val JUMPS = 8
private const val SURE = 2

/** Slices of fewer elements are left to the measure by element. */
private const val FEW = 8

/** Sets of more boxes are compared in their order. */
private const val MOST_BOXES = 1000

/** [reason] is empty where everything is within its bound. */
data class Distance(val relativeL2: Double, val reason: String)

/** Which axis is the batch, and what an output is, as declared. */
data class Meaning(val batch: Int?, val kind: String = "plain")

/** How far one output is from the original's; both in the model's layout. */
fun compared(want: Tensor, got: Tensor?, noise: Tensor?, bound: Bound, meaning: Meaning): Distance {
    if (got == null) return failed("it is missing")
    if (want.shape != got.shape) return failed("its shape is ${got.shape}, expected ${want.shape}")
    if (noise != null && noise.shape != want.shape) return failed("the noise has shape ${noise.shape}, expected ${want.shape}")
    if (!want.dtype.isFloat) return exactly(want, got, noise, bound)
    val (w, g) = want.doubles() to got.doubles()
    val found = Near(want, w, g, noise, bound, meaning.batch).judged()
    if (found.reason.isEmpty() || !isSet(want.shape, meaning)) return found
    return Near(want, w, arranged(want.shape, w, g), noise, bound, meaning.batch).judged()
}

internal fun failed(reason: String) = Distance(Double.NaN, reason)

private fun exactly(want: Tensor, got: Tensor, noise: Tensor?, bound: Bound): Distance {
    val size = want.count
    val wrong = if (got.dtype.isFloat) {
        val (w, g) = want.doubles() to got.doubles()
        w.indices.count { w[it] != g[it] }
    } else {
        // An artifact may hold in 32 bits what the original holds in 64.
        val (w, g) = want.longs() to got.longs()
        w.indices.count { w[it] != g[it] }
    }
    val unsure = noise?.floats()?.count { it != 0f } ?: 0
    val all = ceil(bound.jumps * size).toInt()
    val most = if (unsure > 0) min(size, JUMPS * unsure) else minOf(all, SURE, size / 2)
    return Distance(0.0, if (wrong <= most) "" else "$wrong of $size elements differ, allowed $most")
}

/** One output of floats, measured against its noise. */
private class Near(
    want: Tensor,
    private val w: DoubleArray,
    g: DoubleArray,
    noise: Tensor?,
    private val bound: Bound,
    batch: Int?,
) {
    private val shape = want.shape
    private val apart = DoubleArray(w.size) { distance(w[it], g[it]) }
    private val sigma = sigmas(want, noise, if (bound.whole > 0) bound.budget / bound.whole else 0.0, batch)
    private val ratio = DoubleArray(w.size) { apart[it] / sigma[it] }
    private val out = jumping()

    fun judged(): Distance {
        val left = DoubleArray(w.size) { if (out[it] || apart[it] <= TINY) 0.0 else apart[it] }
        val inSlices = DoubleArray(w.size) { if (out[it]) 0.0 else apart[it] }
        val relativeL2 = quotient(norm(left), norm(DoubleArray(w.size) { if (w[it].isFinite()) w[it] else 0.0 }))
        val bad = sequenceOf(
            Triple("relative L2", relativeL2, bound.relativeL2),
            Triple("error over noise", quotient(norm(inSlices), norm(sigma)), bound.whole),
            Triple("error over noise in a slice", worstSlice(shape, inSlices, sigma), bound.part),
            Triple("error over noise in an element", worstElement(), bound.element),
        ).find { (_, found, allowed) -> !(found <= allowed) }
        return Distance(relativeL2, bad?.let { (name, found, allowed) -> "$name $found, allowed $allowed" } ?: "")
    }

    /** Of all elements that were not left out; where those are all, of the first: one must be right. */
    private fun worstElement(): Double {
        var found = 0
        val kept = { index: Int -> if (out[index]) 0.0 else ratio[index] }
        for (i in w.indices) if (kept(i) > kept(found) || kept(i).isNaN() && !kept(found).isNaN()) found = i
        return if (w.isEmpty()) 0.0 else ratio[found]
    }

    /** What counts as noise in each element: the original's own, its rounding, and what is granted. */
    private fun sigmas(want: Tensor, noise: Tensor?, granted: Double, batch: Int?): DoubleArray {
        val eps = when (want.dtype) {
            DType.FLOAT64 -> Math.ulp(1.0)
            DType.FLOAT16 -> 1.0 / 1024
            else -> Math.ulp(1f).toDouble()
        }
        val own = noise?.doubles()
        val scale = if (granted > 0) scales(shape, w, batch) else w
        return DoubleArray(w.size) {
            val rounding = max(if (w[it].isFinite()) abs(w[it]) * eps else 0.0, TINY)
            val base = if (own == null) rounding else max(rounding, own[it])
            if (granted > 0) hypot(base, granted * scale[it]) else base
        }
    }

    /** The elements that may be left out: those that stray most, as many as may jump as far. */
    private fun jumping(): BooleanArray {
        val out = BooleanArray(w.size)
        val count = ceil(bound.jumps * w.size).toInt()
        if (count == 0) return out
        val may = w.indices.filter { ratio[it] > bound.element && apart[it] <= bound.jump }
        for (index in may.sortedByDescending { ratio[it] }.take(count)) out[index] = true
        return out
    }
}

/** The size of an element's row or, where that is less, of its column, but never next to none. */
private fun scales(shape: List<Int>, w: DoubleArray, batch: Int?): DoubleArray {
    val square = DoubleArray(w.size) { if (w[it].isFinite()) w[it] * w[it] else 0.0 }
    if (shape.isEmpty()) return DoubleArray(w.size) { sqrt(square[it]) }
    val row = means(shape, square, batch)
    if (shape.size == 1) return DoubleArray(w.size) { sqrt(row[it]) }
    val column = means(shape, square, shape.size - 1)
    return DoubleArray(w.size) { min(sqrt(row[it]), max(sqrt(column[it]), 1e-3 * sqrt(row[it]))) }
}

/** For each element the mean of the slice that it lies in, along an axis; of all where that is null. */
private fun means(shape: List<Int>, values: DoubleArray, axis: Int?): DoubleArray {
    if (axis == null) return values.average().let { mean -> DoubleArray(values.size) { mean } }
    val around = Around(shape, axis)
    val sums = slices(around, values)
    return DoubleArray(values.size) { sums[it / around.inner % around.along] * around.along / values.size }
}

/** The sum of each slice along an axis. */
private fun slices(around: Around, values: DoubleArray): DoubleArray {
    val sums = DoubleArray(around.along)
    for (i in values.indices) sums[i / around.inner % around.along] += values[i]
    return sums
}

/** The largest ratio of root mean squares in any slice along any axis. */
private fun worstSlice(shape: List<Int>, apart: DoubleArray, sigma: DoubleArray): Double {
    // Squares of what is tiny would vanish, and of what is huge overflow.
    val scale = sigma.fold(0.0) { most, one -> max(most, one) }
    val error = DoubleArray(apart.size) { square(apart[it] / scale) }
    val own = DoubleArray(apart.size) { square(sigma[it] / scale) }
    val found = shape.indices.flatMap { axis ->
        if (shape[axis] <= 1 || apart.size / shape[axis] < FEW) return@flatMap emptyList()
        val around = Around(shape, axis)
        val noise = slices(around, own)
        slices(around, error).mapIndexed { i, sum -> sqrt(sum / max(noise[i], java.lang.Double.MIN_NORMAL)) }
    }
    return worst(found.toDoubleArray())
}

private fun isSet(shape: List<Int>, meaning: Meaning): Boolean {
    if (meaning.kind != "detection" || shape.size < 2) return false
    val (rows, wide) = shape.takeLast(2)
    return wide > 4 && rows <= MOST_BOXES && meaning.batch != shape.size - 2
}

/** Boxes in the order of the original's: each the nearest that is left. */
private fun arranged(shape: List<Int>, w: DoubleArray, g: DoubleArray): DoubleArray {
    val (rows, wide) = shape.takeLast(2)
    val made = DoubleArray(g.size)
    for (start in w.indices step max(1, rows * wide)) {
        val free = (0 until rows).mapTo(ArrayList()) { start + it * wide }
        for (at in start until start + rows * wide step wide) {
            val best = free.minByOrNull { gap(w, g, at, it, wide) } ?: break
            free.remove(best)
            g.copyInto(made, at, best, best + wide)
        }
    }
    return made
}

private fun gap(w: DoubleArray, g: DoubleArray, at: Int, other: Int, wide: Int): Double {
    var sum = 0.0
    for (i in 0 until wide) sum += distance(w[at + i], g[other + i])
    return sum
}

/** |a - b|; zero for equal infinities, and for NaN in both. */
private fun distance(a: Double, b: Double) = if (a == b || a.isNaN() && b.isNaN()) 0.0 else abs(a - b)

private fun norm(values: DoubleArray): Double {
    val most = values.fold(0.0) { most, one -> max(most, abs(one)) }
    if (!(most > 0 && most.isFinite())) return most
    return most * sqrt(values.fold(0.0) { sum, one -> sum + square(one / most) })
}

private fun square(value: Double) = value * value

private fun quotient(error: Double, size: Double) = if (error == 0.0) 0.0 else error / size

/** The largest; NaN where any is. */
private fun worst(values: DoubleArray) = values.fold(0.0) { most, one -> max(most, one) }
