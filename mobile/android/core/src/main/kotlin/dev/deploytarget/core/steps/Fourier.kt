package dev.deploytarget.core.steps

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/*
 * The Fourier transform of real samples of any length, in float64.
 *
 * A power of two is split in halves; any other length is written as a convolution (Bluestein), which
 * is of a power of two. Made once for a size, then asked for each frame.
 */

/** The transform of [size] real numbers: [re] and [im] hold the bins 0 to size / 2 afterwards. */
internal class Fourier(private val size: Int) {
    private val chirp = if (size and (size - 1) == 0) null else Chirp(size)
    private val long = chirp?.long ?: size
    private val halves = Halves(long)
    val re = DoubleArray(long)
    val im = DoubleArray(long)

    init {
        chirp?.let { halves.transform(it.filterRe, it.filterIm) }
    }

    fun transform(samples: DoubleArray) {
        re.fill(0.0)
        im.fill(0.0)
        if (chirp == null) {
            samples.copyInto(re, 0, 0, size)
            halves.transform(re, im)
        } else {
            convolved(samples, chirp)
        }
    }

    private fun convolved(samples: DoubleArray, by: Chirp) {
        for (n in 0 until size) {
            re[n] = samples[n] * by.cosine[n]
            im[n] = -samples[n] * by.sine[n]
        }
        halves.transform(re, im)
        for (i in 0 until long) {
            val (a, b) = re[i] to im[i]
            re[i] = (a * by.filterRe[i] - b * by.filterIm[i]) / long
            im[i] = (a * by.filterIm[i] + b * by.filterRe[i]) / long
        }
        // The way back is the way there with both parts exchanged.
        halves.transform(im, re)
        for (k in 0..size / 2) {
            val (a, b) = re[k] to im[k]
            re[k] = a * by.cosine[k] + b * by.sine[k]
            im[k] = b * by.cosine[k] - a * by.sine[k]
        }
    }
}

/** With n k = (n² + k² - (k - n)²) / 2 the transform is a convolution with this. */
private class Chirp(size: Int) {
    val long = Integer.highestOneBit(2 * size - 1) * 2
    // The angle is reduced while it is a whole number.
    private val angles = DoubleArray(size) { PI * (it.toLong() * it % (2L * size)) / size }
    val cosine = DoubleArray(size) { cos(angles[it]) }
    val sine = DoubleArray(size) { sin(angles[it]) }
    val filterRe = DoubleArray(long)
    val filterIm = DoubleArray(long)

    init {
        for (n in 0 until size) {
            for (at in intArrayOf(n, (long - n) % long)) {
                filterRe[at] = cosine[n]
                filterIm[at] = sine[n]
            }
        }
    }
}

/** The transform of both parts where they are, for a power of two. */
private class Halves(private val size: Int) {
    private val cosine = DoubleArray(size / 2) { cos(-2 * PI * it / size) }
    private val sine = DoubleArray(size / 2) { sin(-2 * PI * it / size) }

    /** For each place the one with its bits in reverse. */
    private val places = IntArray(size).also {
        for (i in 1 until size) it[i] = (it[i shr 1] shr 1) or (if (i and 1 == 1) size shr 1 else 0)
    }

    fun transform(re: DoubleArray, im: DoubleArray) {
        for (i in 0 until size) if (places[i] > i) exchange(re, im, i, places[i])
        var half = 1
        while (half < size) {
            val stride = size / (2 * half)
            for (start in 0 until size step 2 * half) {
                for (k in 0 until half) crossed(re, im, start + k, start + k + half, k * stride)
            }
            half *= 2
        }
    }

    private fun exchange(re: DoubleArray, im: DoubleArray, i: Int, j: Int) {
        re[i] = re[j].also { re[j] = re[i] }
        im[i] = im[j].also { im[j] = im[i] }
    }

    private fun crossed(re: DoubleArray, im: DoubleArray, low: Int, high: Int, turn: Int) {
        val a = re[high] * cosine[turn] - im[high] * sine[turn]
        val b = re[high] * sine[turn] + im[high] * cosine[turn]
        re[high] = re[low] - a
        im[high] = im[low] - b
        re[low] += a
        im[low] += b
    }
}
