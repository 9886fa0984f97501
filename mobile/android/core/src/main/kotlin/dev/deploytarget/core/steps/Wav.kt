package dev.deploytarget.core.steps

import dev.deploytarget.core.Refused
import java.nio.ByteBuffer
import java.nio.ByteOrder

/*
 * WAV: whole numbers of 8 to 32 bits, floats of 32 and 64, A-law and u-law, also as RF64 and in the
 * extensible form. Another coding is refused with those that are taken.
 */

private const val WHOLE = 1
private const val FLOAT = 3
private const val A_LAW = 6
private const val U_LAW = 7
private const val EXTENSIBLE = 0xfffe

/** A size that is no size: what was written to a pipe did not know it. */
private const val UNKNOWN = (1L shl 32) - 256
private const val LONG = (1L shl 32) - 1

/** What a file declares: its rate, channels, and how many samples a channel has. */
internal class Wav private constructor(private val file: ByteBuffer, private val form: Form, private val start: Int, size: Long) {
    val rate: Long get() = form.rate
    val channels: Int get() = form.channels
    private val whole = form.width * form.channels
    private val sample = sampleOf(form)
    val told: Long = size / whole

    /** The first [n] samples of each channel, in -1..1. */
    fun read(n: Int): List<FloatArray> = List(channels) { channel ->
        val first = start + channel * form.width
        FloatArray(n) { sample(file, first + it * whole) }
    }

    /** [width] in bytes. */
    private class Form(val format: Int, val channels: Int, val rate: Long, val bits: Int) {
        val width = (bits + 7) / 8
    }

    companion object {
        /** Reads what is before the samples. Throws Refused. */
        fun open(bytes: ByteArray): Wav {
            val file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
            if (bytes.size < 12 || name(file, 8) != "WAVE") throw unreadable("it is no WAVE")
            val rf64 = name(file, 0) == "RF64"
            var form: Form? = null
            var long = -1L
            var at = 12L
            while (at + 8 <= bytes.size) {
                val here = at.toInt()
                val size = unsigned(file, here + 4)
                when (name(file, here)) {
                    "ds64" -> if (rf64 && here + 24 <= bytes.size) long = file.getLong(here + 16)
                    "fmt " -> form = formOf(file, here + 8, size)
                    "data" -> {
                        val known = form ?: throw unreadable("its samples come before what they are")
                        val told = if (rf64 && size == LONG) long else size
                        return Wav(file, known, here + 8, held(told, bytes.size - at - 8))
                    }
                }
                at += 8 + size + size % 2
            }
            throw Refused("the WAV file is cut off: it ends before its samples")
        }

        /** How many bytes of samples there are: as many as declared, or all until the end. */
        private fun held(told: Long, there: Long): Long {
            if (told < 0 || told in UNKNOWN..LONG + 1) return there
            if (told > there) throw Refused("the WAV file is cut off: its header promises more")
            return told
        }

        private fun formOf(file: ByteBuffer, at: Int, size: Long): Form {
            if (size < 16 || at + size > file.capacity()) throw unreadable("its format is cut off")
            val said = short(file, at)
            val format = if (said == EXTENSIBLE && size >= 40) short(file, at + 24) else said
            val channels = short(file, at + 2)
            if (channels == 0) throw unreadable("it has no channels")
            return Form(format, channels, unsigned(file, at + 4), short(file, at + 14))
        }

        /** What reads one sample, in -1..1. */
        private fun sampleOf(form: Form): (ByteBuffer, Int) -> Float = when (form.format to form.width) {
            WHOLE to 1 -> { file, at -> (byte(file, at) - 128) / 128f }
            WHOLE to 2 -> { file, at -> file.getShort(at) / 32_768f }
            WHOLE to 3 -> { file, at -> ((file.get(at + 2).toInt() shl 16) or short(file, at)) / 8_388_608f }
            WHOLE to 4 -> { file, at -> (file.getInt(at) / 2_147_483_648.0).toFloat() }
            FLOAT to 4 -> { file, at -> file.getFloat(at) }
            FLOAT to 8 -> { file, at -> file.getDouble(at).toFloat() }
            A_LAW to 1 -> { file, at -> aLaw(byte(file, at)) / 32_768f }
            U_LAW to 1 -> { file, at -> uLaw(byte(file, at)) / 32_768f }
            else -> throw Refused(
                "a WAV file of coding ${form.format} with ${form.bits} bits is not taken; send whole " +
                    "numbers of 8 to 32 bits, floats of 32 or 64, A-law or u-law",
                415,
            )
        }

        private fun unreadable(why: String) = Refused("the WAV file cannot be read: $why")

        private fun byte(file: ByteBuffer, at: Int) = file.get(at).toInt() and 0xff

        private fun short(file: ByteBuffer, at: Int) = file.getShort(at).toInt() and 0xffff

        private fun unsigned(file: ByteBuffer, at: Int) = file.getInt(at).toLong() and 0xffffffffL

        private fun name(file: ByteBuffer, at: Int) =
            String(CharArray(4) { if (at + it < file.capacity()) byte(file, at + it).toChar() else ' ' })
    }
}

/** G.711: a sign, three bits of exponent, four of mantissa, every second bit turned round. */
private fun aLaw(byte: Int): Int {
    val bits = byte xor 0x55
    val exponent = (bits shr 4) and 7
    val mantissa = ((bits and 15) shl 4) + if (exponent == 0) 8 else 0x108
    val size = if (exponent > 1) mantissa shl (exponent - 1) else mantissa
    return if (bits and 0x80 != 0) size else -size
}

/** G.711: a sign, three bits of exponent, four of mantissa, all turned round. */
private fun uLaw(byte: Int): Int {
    val bits = byte.inv() and 0xff
    val size = ((((bits and 15) shl 3) + 0x84) shl ((bits shr 4) and 7)) - 0x84
    return if (bits and 0x80 != 0) -size else size
}
