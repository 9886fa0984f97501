package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor
import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.log10
import kotlin.math.max
import kotlin.math.min
import kotlin.math.pow

/*
 * The log-mel spectrogram and what it is made of: window, mel filters, decibels.
 *
 * In: samples [..., n]. Out: float32 [..., time, mels]. Computed in float64 throughout, since a
 * logarithm makes differences between quiet bins large.
 */

/** Slaney's scale: so many Hz a mel up to 1 kHz; above, 27 mels for a factor of 6.4. */
private const val LINEAR = 200.0 / 3
private const val BREAK = 1000.0

/** The spectrogram [..., time, mels]. */
internal fun logMel(value: Tensor, options: Fields): Tensor {
    val size = options.int(if (options.text("fft_pad") == "both") "n_fft" else "win")
    val half = if (options.flag("center")) size / 2 else 0
    val around = Around(value.shape, -1)
    val (hop, mels) = options.int("hop") to options.int("mels")
    val made = Math.floorDiv(around.along + 2 * half - size, hop) + 1
    val time = max(0, if (options.flag("drop_last")) made - 1 else made)
    val given = value.doubles()
    val energies = DoubleArray(around.outer * time * mels)
    val analyser = Analyser(size, options)
    for (o in 0 until around.outer) {
        val x = padded(given, o * around.along, around.along, half, half, options.text("pad_mode"))
        for (t in 0 until time) analyser.write(x, t * hop, energies, (o * time + t) * mels)
    }
    logarithm(energies, options)
    val shape = value.shape.dropLast(1) + listOf(time, mels)
    return Tensor.of(shape, FloatArray(energies.size) { energies[it].toFloat() })
}

/** Writes the energies of a frame in each mel. */
private class Analyser(private val size: Int, options: Fields) {
    private val window = windowOf(size, options.int("win"), options.text("window"))
    private val filters = melFilters(options)
    private val long = options.int("n_fft")
    private val fourier = Fourier(long)
    private val windowed = DoubleArray(max(long, size))
    private val powers = DoubleArray(1 + long / 2)
    private val power = options.number("power")

    fun write(x: DoubleArray, from: Int, to: DoubleArray, at: Int) {
        for (i in 0 until size) windowed[i] = x[from + i] * window[i]
        fourier.transform(windowed)
        for (bin in powers.indices) {
            val energy = fourier.re[bin] * fourier.re[bin] + fourier.im[bin] * fourier.im[bin]
            powers[bin] = if (power == 2.0) energy else energy.pow(power / 2)
        }
        filters.forEachIndexed { mel, filter ->
            var sum = 0.0
            for (i in filter.weights.indices) sum += filter.weights[i] * powers[filter.first + i]
            to[at + mel] = sum
        }
    }
}

/** A periodic window of `win` samples in the middle of `size`. */
internal fun windowOf(size: Int, win: Int, name: String): DoubleArray {
    val (level, swing) = when (name) {
        "hann" -> 0.5 to 0.5
        "hamming" -> 0.54 to 0.46
        "ones" -> 1.0 to 0.0
        else -> throw IllegalArgumentException("no window is named \"$name\"")
    }
    val left = (size - win) / 2
    return DoubleArray(size).also { for (i in 0 until win) it[left + i] = level - swing * cos(2 * PI * i / win) }
}

/** From the [first] bin that it weighs. */
internal class Filter(val first: Int, val weights: DoubleArray)

/** Triangles, evenly spaced in mels; norm "slaney": each of area 1. Only what is above zero is kept. */
internal fun melFilters(options: Fields): List<Filter> {
    val (mels, scale) = options.int("mels") to options.text("scale")
    val lowest = toMel(options.number("fmin"), scale)
    val highest = toMel(options.number("fmax"), scale)
    val step = (highest - lowest) / (mels + 1)
    val corners = DoubleArray(mels + 2) { fromMel(if (it == mels + 1) highest else lowest + it * step, scale) }
    val each = options.number("rate") / options.int("n_fft")
    val bins = 1 + options.int("n_fft") / 2
    return List(mels) { i ->
        val (low, peak, high) = corners.slice(i..i + 2)
        val area = if (options.textOrNull("norm") == "slaney") 2 / (high - low) else 1.0
        val triangle = DoubleArray(bins) {
            val hertz = it * each
            area * max(0.0, min((hertz - low) / (peak - low), (high - hertz) / (high - peak)))
        }
        val first = max(0, triangle.indexOfFirst { it > 0 })
        val last = triangle.indexOfLast { it > 0 }
        Filter(first, triangle.copyOfRange(first, max(first, last) + 1))
    }
}

/** Hz to mels, on Slaney's scale or HTK's. */
private fun toMel(hertz: Double, scale: String): Double = when {
    scale == "htk" -> 2595 * log10(1 + hertz / 700)
    hertz < BREAK -> hertz / LINEAR
    else -> BREAK / LINEAR + ln(hertz / BREAK) * (27 / ln(6.4))
}

/** Mels to Hz. */
private fun fromMel(mel: Double, scale: String): Double = when {
    scale == "htk" -> 700 * (10.0.pow(mel / 2595) - 1)
    mel < BREAK / LINEAR -> mel * LINEAR
    else -> BREAK * exp((mel - BREAK / LINEAR) * (ln(6.4) / 27))
}

/** factor * log(max(energies + add, floor)), cut off `top_db` below the loudest of it all; in place. */
private fun logarithm(energies: DoubleArray, options: Fields) {
    val log = options.text("log")
    if (log == "none") return
    val (add, floor) = options.number("add") to options.number("floor")
    // A decibel is of energy, so magnitudes count twice.
    val decibel = 20 / options.number("power") / ln(10.0)
    val factor = when (log) {
        "ln" -> 1.0
        "db" -> decibel
        else -> 1 / ln(10.0)
    }
    var most = Double.NEGATIVE_INFINITY
    for (i in energies.indices) {
        energies[i] = ln(max(energies[i] + add, floor)) * factor
        most = max(most, energies[i])
    }
    val top = options.numberOrNull("top_db") ?: return
    val least = most - top * factor / decibel
    for (i in energies.indices) energies[i] = max(energies[i], least)
}
