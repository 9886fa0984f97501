package dev.deploytarget.core.steps

import kotlin.math.abs

/*
 * The pixels of a PNG, on any platform the same: every depth, palette, transparency, interlaced.
 *
 * Platforms decode PNG too, but they multiply colours by alpha, and make 8 bits of 16 in different
 * ways. Out: RGBA of 8 bits, the upper byte of 16, colours not multiplied by alpha. Throws Refused
 * where the file is damaged.
 */

private const val PALETTE = 3

/** Colour type -> samples of a pixel, and the depths that it may have. */
private val KINDS = mapOf(
    0 to (1 to listOf(1, 2, 4, 8, 16)),
    2 to (3 to listOf(8, 16)),
    PALETTE to (1 to listOf(1, 2, 4, 8)),
    4 to (2 to listOf(8, 16)),
    6 to (4 to listOf(8, 16)),
)

/** One image within the image: where it begins, and how far its pixels are apart. */
private class Pass(val left: Int, val top: Int, val across: Int, val down: Int)

private val WHOLE = listOf(Pass(0, 0, 1, 1))
private val INTERLACED = listOf(
    Pass(0, 0, 8, 8), Pass(4, 0, 8, 8), Pass(0, 4, 4, 8), Pass(2, 0, 4, 4), Pass(0, 2, 2, 4), Pass(1, 0, 2, 2), Pass(0, 1, 1, 2),
)

/** How pixels are written. [clear] says which colours are transparent. */
private class Form(val depth: Int, val type: Int, val samples: Int, val palette: ByteArray, val clear: ByteArray?) {
    val wide = if (depth == 16) 2 else 1

    fun line(pixels: Int) = (pixels.toLong() * samples * depth + 7) / 8
}

internal fun pixelsOf(file: Png, header: PhotoHeader): Photo {
    val form = formOf(file)
    val (width, height) = header.width to header.height
    val interlaced = file.bytes.byte(file.chunks[0].from + 12) != 0
    val passes = (if (interlaced) INTERLACED else WHOLE)
        .map { it to size(it, width, height) }
        .filter { (_, size) -> size.first > 0 && size.second > 0 }
    val needed = passes.sumOf { (_, size) -> size.second * (1 + form.line(size.first)) }
    if (needed > Int.MAX_VALUE - 8 || width.toLong() * height * 4 > Int.MAX_VALUE - 8) throw damaged("it is too large")
    val raw = file.inflated(file.chunks.filter { it.name == "IDAT" }, needed.toInt())
    if (raw.size < needed) throw damaged("its pixels are cut off")
    val rgba = ByteArray(width * height * 4)
    var at = 0
    for ((pass, size) in passes) {
        val line = form.line(size.first).toInt()
        unfilter(raw, at, size.second, line, maxOf(1, form.samples * form.depth / 8))
        for (y in 0 until size.second) {
            val first = (pass.top + y * pass.down) * width + pass.left
            Row(raw, at + y * (1 + line) + 1, form).expand(size.first, rgba, first * 4, pass.across * 4)
        }
        at += size.second * (1 + line)
    }
    return Photo(width, height, rgba)
}

/** How many pixels a pass has, across and down. */
private fun size(pass: Pass, width: Int, height: Int) =
    (width - pass.left + pass.across - 1) / pass.across to (height - pass.top + pass.down - 1) / pass.down

private fun formOf(file: Png): Form {
    val start = file.chunks[0].from
    val (depth, type) = file.bytes.byte(start + 8) to file.bytes.byte(start + 9)
    val kind = KINDS[type]
    if (kind == null || depth !in kind.second || file.bytes.byte(start + 11) != 0) throw damaged("its header cannot be read")
    val colours = file.find("PLTE", before = true)?.let { file.bytes.part(it.from, it.to) }
    if (type == PALETTE && colours == null) throw damaged("it has no palette")
    val clear = file.find("tRNS", before = true)?.let { file.bytes.part(it.from, it.to) }
    if (clear != null && kind.first % 2 != 0 && type != PALETTE && clear.size < 2 * kind.first) {
        throw damaged("its transparency is cut off")
    }
    return Form(depth, type, kind.first, (colours ?: ByteArray(0)).copyOf(768), clear)
}

/** Each byte was written as its difference from what was guessed; in place. */
private fun unfilter(raw: ByteArray, start: Int, rows: Int, line: Int, pixel: Int) {
    for (y in 0 until rows) {
        val at = start + y * (1 + line) + 1
        val filter = raw[at - 1].toInt()
        if (filter !in 0..4) throw damaged("a row has the filter ${filter and 255}")
        if (filter == 0) continue
        for (x in 0 until line) {
            val left = if (x < pixel) 0 else raw[at + x - pixel].toInt() and 255
            val over = if (y == 0) 0 else raw[at + x - line - 1].toInt() and 255
            val corner = if (y == 0 || x < pixel) 0 else raw[at + x - line - 1 - pixel].toInt() and 255
            val guess = when (filter) {
                1 -> left
                2 -> over
                3 -> (left + over) shr 1
                else -> paeth(left, over, corner)
            }
            raw[at + x] = (raw[at + x] + guess).toByte()
        }
    }
}

private fun paeth(left: Int, over: Int, corner: Int): Int {
    val (a, b, c) = Triple(abs(over - corner), abs(left - corner), abs(left + over - 2 * corner))
    return if (a <= b && a <= c) left else if (b <= c) over else corner
}

/** One row of samples, from a place in the raw bytes on. */
private class Row(private val raw: ByteArray, private val from: Int, private val form: Form) {
    fun expand(wide: Int, rgba: ByteArray, start: Int, step: Int) {
        for (x in 0 until wide) {
            val to = start + x * step
            if (form.type == PALETTE) fromPalette(x, rgba, to) else plain(x, rgba, to)
        }
    }

    private fun fromPalette(x: Int, rgba: ByteArray, to: Int) {
        val index = if (form.depth == 8) raw[from + x].toInt() and 255 else packed(x)
        form.palette.copyInto(rgba, to, 3 * index, 3 * index + 3)
        rgba[to + 3] = form.clear?.getOrNull(index) ?: -1
    }

    private fun plain(x: Int, rgba: ByteArray, to: Int) {
        val at = from + x * form.samples * form.wide
        val grey = if (form.depth < 8) (packed(x) * 255 / ((1 shl form.depth) - 1)).toByte() else raw[at]
        val colour = form.samples > 2
        rgba[to] = grey
        rgba[to + 1] = if (colour) raw[at + form.wide] else grey
        rgba[to + 2] = if (colour) raw[at + 2 * form.wide] else grey
        rgba[to + 3] = if (form.samples % 2 != 0) -1 else raw[at + (form.samples - 1) * form.wide]
        if (isClear(at, rgba, to)) rgba[to + 3] = 0
    }

    private fun packed(x: Int): Int {
        val bit = x * form.depth
        return (raw[from + (bit shr 3)].toInt() and 255 shr (8 - form.depth - (bit and 7))) and ((1 shl form.depth) - 1)
    }

    /** Whether a pixel has the one colour that is transparent. */
    private fun isClear(at: Int, rgba: ByteArray, to: Int): Boolean {
        val clear = form.clear
        if (clear == null || form.samples % 2 == 0) return false
        return (0 until form.samples).all { s ->
            val wanted = pair(clear, 2 * s)
            val level = if (form.wide == 2) pair(raw, at + 2 * s) else rgba[to + s].toInt() and 255
            // Of one bit, what is clear is black or white.
            level == if (form.depth == 1) minOf(wanted, 1) * 255 else wanted
        }
    }

    private fun pair(from: ByteArray, at: Int) = (from[at].toInt() and 255 shl 8) or (from[at + 1].toInt() and 255)
}
