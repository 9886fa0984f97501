package dev.deploytarget.core.steps

import dev.deploytarget.core.Refused
import java.nio.BufferUnderflowException
import java.nio.ByteBuffer
import java.nio.ByteOrder

/*
 * A photo's header: its kind, its size, which way up it is.
 *
 * In: bytes from anybody. Out: a PhotoHeader, or Refused: 415 where the bytes are no image of these
 * kinds, 422 where the header cannot be read. To add a kind: a line in `headerOf`.
 */

/** Far beyond what a device holds in memory, whatever is allowed. */
private const val MOST = 178_956_970L
private val FRAMES = (0xc0..0xcf) - listOf(0xc4, 0xc8, 0xcc)
private const val XMP = "http://ns.adobe.com/xap/1.0/\u0000"

/** What is said of a photo whose bytes break off, or make no sense. */
internal fun damaged(said: String) = Refused("the image is cut off or damaged: $said")

/** Bytes as numbers; reading past the end is an IndexOutOfBoundsException. */
internal class Bytes(val all: ByteArray) {
    private val big = ByteBuffer.wrap(all)
    private val little = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN)
    val size: Int get() = all.size

    fun byte(at: Int): Int = big.get(at).toInt() and 0xff

    fun short(at: Int, order: Boolean = BIG): Int = (if (order) big else little).getShort(at).toInt() and 0xffff

    fun long(at: Int, order: Boolean = BIG): Long = (if (order) big else little).getInt(at).toLong() and 0xffffffffL

    /** Bytes as letters, as many as are there. */
    fun text(from: Int, to: Int): String =
        String(all, minOf(from, size), maxOf(0, minOf(to, size) - minOf(from, size)), Charsets.ISO_8859_1)

    fun part(from: Int, to: Int): ByteArray = all.copyOfRange(minOf(from, size), minOf(maxOf(from, to), size))

    companion object {
        const val BIG = true
        const val LITTLE = false
    }
}

/** Reads the header. Throws Refused. */
internal fun headerOf(data: ByteArray): PhotoHeader {
    val bytes = Bytes(data)
    val beginning = bytes.text(0, 12)
    val header = try {
        when {
            beginning.startsWith("\u00ff\u00d8") -> jpeg(bytes)
            beginning.startsWith("\u0089PNG") -> Png(bytes).header()
            beginning.startsWith("RIFF") && beginning.endsWith("WEBP") -> webp(bytes)
            beginning.startsWith("GIF8") -> gif(bytes)
            beginning.startsWith("BM") -> bmp(bytes)
            else -> throw Refused("these bytes are no image that is known here: JPEG, PNG, WEBP, GIF, BMP", 415)
        }
    } catch (unsound: IndexOutOfBoundsException) {
        throw damaged("its header cannot be read")
    } catch (unsound: BufferUnderflowException) {
        throw damaged("its header cannot be read")
    }
    if (header.width <= 0 || header.height <= 0) throw damaged("its header cannot be read")
    if (header.width.toLong() * header.height > MOST) throw Refused("the image has far too many pixels", 413)
    return header
}

/** Segments up to the first scan. */
private fun jpeg(bytes: Bytes): PhotoHeader {
    var (height, width) = 0 to 0
    var exif: ByteArray? = null
    var xmp = ""
    var at = 2
    while (true) {
        while (bytes.byte(at) != 0xff) at += 1
        while (bytes.byte(at) == 0xff) at += 1
        val marker = bytes.byte(at)
        if (marker == 0xda || marker == 0xd9) break
        if (marker <= 1 || marker in 0xd0..0xd8) continue
        val end = at + 1 + bytes.short(at + 1)
        if (marker in FRAMES) {
            height = bytes.short(at + 4)
            width = bytes.short(at + 6)
        }
        val body = at + 3
        if (marker == 0xe1 && bytes.text(body, body + 6) == "Exif\u0000\u0000") {
            // What is too long for one segment goes on in the next.
            exif = (exif ?: ByteArray(0)) + bytes.part(body + 6, end)
        } else if (marker == 0xe1 && bytes.text(body, body + XMP.length) == XMP) {
            xmp = bytes.text(body + XMP.length, end)
        }
        at = end
    }
    if ((at until bytes.size - 1).none { bytes.all[it] == (-1).toByte() && bytes.byte(it + 1) == 0xd9 } && bytes.byte(at) != 0xd9) {
        throw damaged("its pixels are cut off")
    }
    return PhotoHeader("JPEG", width, height, orientation(exif, xmp))
}

private fun webp(bytes: Bytes): PhotoHeader {
    var size: Pair<Int, Int>? = null
    var exif: ByteArray? = null
    var xmp = ""
    val end = minOf(bytes.size.toLong(), 8 + bytes.long(4, Bytes.LITTLE))
    if (8 + bytes.long(4, Bytes.LITTLE) > bytes.size) throw damaged("its pixels are cut off")
    var at = 12L
    while (at + 8 <= end) {
        val here = at.toInt()
        val name = bytes.text(here, here + 4)
        val next = at + 8 + bytes.long(here + 4, Bytes.LITTLE)
        size = size ?: webpSize(name, bytes, here + 8)
        if (name == "EXIF") exif = exif ?: bytes.part(here + 8, next.toInt())
        if (name == "XMP ") xmp = xmp.ifEmpty { bytes.text(here + 8, next.toInt()) }
        at = next + next % 2
    }
    val (width, height) = size ?: (0 to 0)
    return PhotoHeader("WEBP", width, height, orientation(exif, xmp))
}

private fun webpSize(name: String, bytes: Bytes, at: Int): Pair<Int, Int>? = when (name) {
    "VP8X" -> (bytes.long(at + 4, Bytes.LITTLE) and 0xffffff).toInt() + 1 to (bytes.long(at + 6, Bytes.LITTLE) shr 8).toInt() + 1
    "VP8L" -> bytes.long(at + 1, Bytes.LITTLE).let { (it and 0x3fff).toInt() + 1 to (it shr 14 and 0x3fff).toInt() + 1 }
    "VP8 " -> (bytes.short(at + 6, Bytes.LITTLE) and 0x3fff) to (bytes.short(at + 8, Bytes.LITTLE) and 0x3fff)
    else -> null
}

/** The screen, or the first frame where that reaches further. */
private fun gif(bytes: Bytes): PhotoHeader {
    var at = 13 + colours(bytes.byte(10))
    while (bytes.byte(at) == 0x21) {
        at += 2
        while (bytes.byte(at) != 0) at += 1 + bytes.byte(at)
        at += 1
    }
    if (bytes.byte(at) != 0x2c) throw damaged("it has no frame")
    val (left, top, wide, tall) = (1..7 step 2).map { bytes.short(at + it, Bytes.LITTLE) }
    val width = maxOf(bytes.short(6, Bytes.LITTLE), left + wide)
    return PhotoHeader("GIF", width, maxOf(bytes.short(8, Bytes.LITTLE), top + tall), 1)
}

/** Bytes of a palette, as flags say. */
private fun colours(flags: Int) = if (flags and 0x80 == 0) 0 else 3 shl ((flags and 7) + 1)

private fun bmp(bytes: Bytes): PhotoHeader {
    val old = bytes.long(14, Bytes.LITTLE) == 12L
    val width = if (old) bytes.short(18, Bytes.LITTLE) else bytes.long(18, Bytes.LITTLE).toInt()
    val height = if (old) bytes.short(20, Bytes.LITTLE) else Math.abs(bytes.long(22, Bytes.LITTLE).toInt())
    val bits = bytes.short(if (old) 24 else 28, Bytes.LITTLE)
    val packed = !old && bytes.long(30, Bytes.LITTLE) in 1L..2L
    val needed = bytes.long(10, Bytes.LITTLE) + (width.toLong() * bits + 31) / 32 * 4 * height
    if (!packed && needed > bytes.size) throw damaged("its pixels are cut off")
    return PhotoHeader("BMP", width, height, 1)
}
