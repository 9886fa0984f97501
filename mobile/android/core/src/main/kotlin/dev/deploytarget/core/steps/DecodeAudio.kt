package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import kotlin.math.max
import kotlin.math.min

/*
 * A recording's samples: the bytes of a WAV file -> float32 in -1..1, and its rate.
 *
 * What a file declares is bounded before anything is decoded. FLAC and OGG are refused by name: the
 * platform's decoders do not promise the same samples everywhere.
 */

/** What a recording may declare: beyond, the header is wrong or means to exhaust memory. */
private const val SLOWEST = 1_000L
private const val FASTEST = 384_000L
private const val CHANNELS = 8

/** Samples in all channels that are read: so many for each of max_seconds, or so many at least. */
private const val A_SECOND = 2 * 96_000
private const val ALWAYS = 4_000_000L

/** Samples [n], or [c, n] with channels "keep", of -amplitude to amplitude; sets the rate. */
internal fun decodeAudio(bytes: ByteArray, frame: Frame, options: Fields): Tensor {
    val file = Wav.open(wave(bytes))
    val samples = samplesOf(file, options.number("max_seconds"))
    frame.rate = file.rate.toInt()
    val n = samples[0].size
    val kept = when (options.text("channels")) {
        "keep" -> samples
        "mono" -> listOf(mean(samples))
        else -> samples.take(1)
    }
    val loud = options.number("amplitude").toFloat()
    val data = FloatArray(kept.size * n) { kept[it / n][it % n] * loud }
    return Tensor.of(if (options.text("channels") == "keep") listOf(kept.size, n) else listOf(n), data)
}

private fun wave(bytes: ByteArray): ByteArray {
    if (bytes.isEmpty()) throw Refused("the body is empty; send a WAV file")
    return when (bytes.copyOf(4).toString(Charsets.ISO_8859_1)) {
        "RIFF", "RF64" -> bytes
        "fLaC" -> throw Refused("this is a FLAC file; here a WAV file is taken", 415)
        "OggS" -> throw Refused("this is an OGG file; here a WAV file is taken", 415)
        else -> throw Refused("this is no WAV file, and no other recording that is known", 415)
    }
}

/** Each channel's samples. Throws Refused. */
private fun samplesOf(file: Wav, seconds: Double): List<FloatArray> {
    if (file.rate !in SLOWEST..FASTEST) throw Refused("${file.rate} samples a second; expected $SLOWEST to $FASTEST")
    if (file.channels > CHANNELS) throw Refused("${file.channels} channels; expected $CHANNELS at most")
    if (file.told > (seconds * file.rate).toLong()) throw Refused("the recording is longer than ${said(seconds)} seconds", 413)
    val most = max(ALWAYS, (seconds * A_SECOND).toLong())
    if (file.told * file.channels > most) {
        throw Refused(
            "${file.told} samples in ${file.channels} channels are more than the $most that are read; " +
                "send fewer channels or a lower rate",
            413,
        )
    }
    if (file.told == 0L) throw Refused("the WAV file holds no samples")
    val samples = file.read(min(file.told, Int.MAX_VALUE.toLong()).toInt())
    if (!samples.all { channel -> channel.all { it.isFinite() } }) {
        throw Refused("the recording holds samples that are no numbers")
    }
    return samples
}

/** The mean of all channels, summed in float32 as the reference does. */
private fun mean(samples: List<FloatArray>): FloatArray {
    if (samples.size == 1) return samples[0]
    return FloatArray(samples[0].size) { i ->
        var sum = 0f
        for (channel in samples) sum += channel[i]
        sum / samples.size
    }
}

private fun said(seconds: Double) = if (seconds == Math.rint(seconds)) seconds.toLong().toString() else seconds.toString()
