package dev.deploytarget.core.steps

import java.util.zip.CRC32
import java.util.zip.DataFormatException
import java.util.zip.Inflater

/*
 * A PNG's chunks: what stands before and after its pixels.
 *
 * In: bytes. Out: its header with EXIF's orientation; and the pixels, by PngPixels.kt. A chunk before
 * the pixels whose check sum is wrong makes the file damaged.
 */

private const val RAW_EXIF = "Raw profile type exif"
private const val XMP = "XML:com.adobe.xmp"

/** More than a text that says which way up a photo is can need. */
private const val MOST_TEXT = 1 shl 20

internal class Chunk(val name: String, val from: Int, val to: Int)

/** The chunks of a file. Throws Refused, or IndexOutOfBoundsException where the header breaks off. */
internal class Png(val bytes: Bytes) {
    val chunks: List<Chunk> = chunksOf()

    init {
        val first = chunks.firstOrNull()
        if (first?.name != "IHDR" || first.to - first.from < 13) throw damaged("its header cannot be read")
    }

    fun header(): PhotoHeader {
        val start = chunks[0].from
        val (width, height) = bytes.long(start) to bytes.long(start + 4)
        if (maxOf(width, height) > Int.MAX_VALUE) throw damaged("its header cannot be read")
        val texts = chunks.mapNotNull(::worded).toMap()
        val exif = find("eXIf")?.let { bytes.part(it.from, it.to) } ?: texts[RAW_EXIF]?.let(::fromHex)
        return PhotoHeader("PNG", width.toInt(), height.toInt(), orientation(exif, texts[XMP] ?: ""))
    }

    fun photo(): Photo = pixelsOf(this, header())

    /** The first chunk of that name; with [before], before the pixels alone. */
    fun find(name: String, before: Boolean = false): Chunk? {
        val among = if (before) chunks.takeWhile { it.name != "IDAT" } else chunks
        return among.find { it.name == name }
    }

    /** In their order, up to the end or to where the file is cut off. */
    private fun chunksOf(): List<Chunk> {
        val found = ArrayList<Chunk>()
        var pixels = false
        var at = 8L
        while (at + 8 <= bytes.size) {
            val here = at.toInt()
            val end = at + 8 + bytes.long(here)
            val name = bytes.text(here + 4, here + 8)
            pixels = pixels || name == "IDAT"
            // What is cut off after the pixels began may still have all that is needed of them.
            if (end + 4 > bytes.size && !pixels) throw damaged("its header is cut off")
            if (!pixels && bytes.long(end.toInt()) != sumOf(here + 4, end.toInt())) {
                throw damaged("the check sum of its $name is wrong")
            }
            found.add(Chunk(name, here + 8, minOf(end, bytes.size.toLong()).toInt()))
            if (name == "IEND") break
            at = end + 4
        }
        return found
    }

    private fun sumOf(from: Int, to: Int) = CRC32().also { it.update(bytes.all, from, to - from) }.value

    /** A text's keyword and the text; null for other chunks. */
    private fun worded(chunk: Chunk): Pair<String, String>? {
        if (chunk.name !in listOf("tEXt", "zTXt", "iTXt")) return null
        val key = bytes.text(chunk.from, chunk.to).substringBefore('\u0000')
        if (key != RAW_EXIF && key != XMP) return null
        var from = chunk.from + key.length + 1
        val packed = chunk.name == "zTXt" || chunk.name == "iTXt" && from < chunk.to && bytes.byte(from) == 1
        if (chunk.name == "zTXt") from += 1
        if (chunk.name == "iTXt") {
            from += 2
            repeat(2) { from += bytes.text(from, chunk.to).indexOf('\u0000') + 1 }
        }
        if (!packed) return key to bytes.text(from, chunk.to)
        val text = inflated(listOf(Chunk(chunk.name, from, chunk.to)), MOST_TEXT)
        return key to text.toString(Charsets.ISO_8859_1)
    }

    /** As many bytes as could be unpacked, at most so many: what comes after them is not looked at. */
    fun inflated(pieces: List<Chunk>, most: Int): ByteArray {
        val inflater = Inflater()
        val made = ByteArray(most)
        var length = 0
        try {
            for (piece in pieces) {
                inflater.setInput(bytes.all, piece.from, maxOf(0, piece.to - piece.from))
                while (length < most && !inflater.finished() && !inflater.needsInput()) {
                    val more = inflater.inflate(made, length, most - length)
                    if (more == 0 && inflater.needsDictionary()) return made.copyOf(length)
                    length += more
                }
            }
        } catch (unsound: DataFormatException) {
            // What is damaged ends here; whoever asked sees how far it came.
        } finally {
            inflater.end()
        }
        return if (length == most) made else made.copyOf(length)
    }
}

/** As ImageMagick writes EXIF: a blank line, a name, a length, and digits in lines. */
private fun fromHex(text: String): ByteArray {
    val digits = text.split("\n").drop(3).joinToString("").filter { it in "0123456789abcdefABCDEF" }
    return ByteArray(digits.length / 2) { digits.substring(2 * it, 2 * it + 2).toInt(16).toByte() }
}
