package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import kotlin.math.PI
import kotlin.math.ceil
import kotlin.math.cos
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sin
import kotlin.math.sqrt

/*
 * Another sampling rate, as torchaudio ("sinc_hann") or SciPy ("polyphase") makes it by default.
 *
 * In: samples [..., n] at the frame's rate. Out: float32 samples [..., ceil(n * to / from)]. Both
 * methods are one filter, evaluated where an output sample falls between input samples; they differ
 * in that filter. To add one: a function that gives its weights, and a line in `resample`.
 */

/** Of either rate, by what both share: the filter has twenty times as many weights. */
private const val MOST = 50_000

/** [reach]: how far away it still weighs a sample; [weight] of one at a distance in samples. */
private class Band(val reach: Int, val weight: (Double) -> Double)

/** Samples at rate `to`; method "refuse" takes no other rate. Sets the frame's rate. */
internal fun resample(value: Tensor, frame: Frame, options: Fields): Tensor {
    val rate = requireNotNull(frame.rate) { "no recording was decoded before this step" }
    val to = options.int("to")
    if (rate == to) return value
    val method = options.text("method")
    if (method == "refuse") throw Refused("the recording has $rate samples a second, expected $to")
    val shared = divisor(rate, to)
    if (max(rate, to) / shared > MOST) {
        throw Refused(
            "$rate samples a second cannot become $to with a filter of a sane size; " +
                "expected $to, or a usual rate such as 44100 or 48000",
        )
    }
    val (down, up) = rate / shared to to / shared
    val band = when (method) {
        "sinc_hann" -> sincHann(down, up)
        "polyphase" -> polyphase(down, up)
        else -> throw IllegalArgumentException("no method is named \"$method\"")
    }
    frame.rate = to
    return filtered(value, down, up, band)
}

private tailrec fun divisor(a: Int, b: Int): Int = if (b == 0) a else divisor(b, a % b)

/** A sinc under a Hann window of six zero crossings a side, rolled off at 0.99 of the band. */
private fun sincHann(down: Int, up: Int): Band {
    val band = 0.99 * min(down, up) / down
    return Band(ceil(6 * down / (0.99 * min(down, up))).toInt()) { distance ->
        val crossings = max(-6.0, min(6.0, distance * band))
        val window = cos(crossings * (PI / 12))
        sinc(crossings) * window * window * band
    }
}

/** A low-pass by the window method: Kaiser, beta 5, ten periods of the lower rate a side. */
private fun polyphase(down: Int, up: Int): Band {
    val most = max(down, up)
    val half = 10 * most
    val whole = DoubleArray(2 * half + 1) {
        val place = (it - half).toDouble() / half
        sinc((it - half).toDouble() / most) * bessel(5 * sqrt(max(0.0, 1 - place * place))) / bessel(5.0)
    }
    val gain = up / whole.sum()
    return Band(10 * most / up + 1) { distance ->
        gain * whole.getOrElse(Math.round(distance * up).toInt() + half) { 0.0 }
    }
}

private fun sinc(x: Double) = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)

/** The modified Bessel function of order zero, by its series; of arguments up to some ten. */
private fun bessel(x: Double): Double {
    var (sum, term) = 1.0 to 1.0
    var k = 1
    while (term > 1e-17 * sum) {
        term *= (x / (2 * k)) * (x / (2 * k))
        sum += term
        k += 1
    }
    return sum
}

/** Output n lies at n * down / up: a whole number of input samples, and one of `up` phases. */
private fun filtered(value: Tensor, down: Int, up: Int, band: Band): Tensor {
    val around = Around(value.shape, -1)
    val count = ((around.along.toLong() * up + down - 1) / down).toInt()
    val given = value.floats()
    val out = FloatArray(around.outer * count)
    val table = tableOf(min(up, count), down, up, band)
    val wide = 2 * band.reach + 2
    for (o in 0 until around.outer) {
        for (n in 0 until count) {
            val first = (n.toLong() * down / up).toInt() - band.reach
            val weights = n % up * wide - first
            var sum = 0.0
            for (i in max(0, first) until min(around.along, first + wide)) {
                sum += given[o * around.along + i] * table[weights + i]
            }
            out[o * count + n] = sum.toFloat()
        }
    }
    return Tensor.of(value.shape.dropLast(1) + count, out)
}

/** The weights of 2 reach + 2 samples around each phase. */
private fun tableOf(phases: Int, down: Int, up: Int, band: Band): DoubleArray {
    val wide = 2 * band.reach + 2
    return DoubleArray(phases * wide) {
        val between = (it / wide).toLong() * down % up / up.toDouble()
        band.weight(it % wide - band.reach - between)
    }
}
