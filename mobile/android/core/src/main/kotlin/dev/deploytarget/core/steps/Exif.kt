package dev.deploytarget.core.steps

/*
 * Which way up a photo is: EXIF's orientation, or XMP's where EXIF has none.
 *
 * In: an EXIF block, which is a small TIFF file, and XMP, which is text. Out: 1 to 8, of which 1 is
 * upright. What cannot be read says nothing: the pixels may be sound.
 */

private const val ORIENTATION = 0x0112
private const val NAME = "Exif\u0000\u0000"
private val IN_XMP = Regex("tiff:Orientation(?:=\"|>)([0-9])")

internal fun orientation(exif: ByteArray?, xmp: String): Int {
    val block = exif?.let { Bytes(unnamed(unnamed(it))) }?.takeIf { it.size > 0 }
    val said = try {
        if (block == null) null else tagged(block)
    } catch (unsound: IndexOutOfBoundsException) {
        1
    }
    val told = said ?: IN_XMP.find(xmp)?.groupValues?.get(1)?.toInt() ?: 1
    return if (told in 1..8) told else 1
}

private fun unnamed(block: ByteArray): ByteArray =
    if (Bytes(block).text(0, NAME.length) == NAME) block.copyOfRange(NAME.length, block.size) else block

/** The tag's value; null where the block has no such tag, 1 where it is no such block. */
private fun tagged(block: Bytes): Int? {
    val order = block.short(0)
    if (block.size < 8 || order != 0x4949 && order != 0x4d4d) return 1
    val big = order == 0x4d4d
    if (block.short(2, big) != 42) return 1
    val first = block.long(4, big)
    if (first + 2 > block.size) return null
    val start = first.toInt() + 2
    val end = minOf(block.size.toLong(), start + 12L * block.short(start - 2, big))
    for (at in start..(end - 12).toInt() step 12) {
        if (block.short(at, big) == ORIENTATION) return value(block, at, big)
    }
    return null
}

/** The first value of an entry; its four bytes say where the values lie if they hold more. */
private fun value(block: Bytes, at: Int, big: Boolean): Int {
    val type = block.short(at + 2, big)
    val wide = mapOf(3 to 2, 4 to 4, 6 to 1, 8 to 2, 9 to 4)[type] ?: return 1
    val many = block.long(at + 4, big)
    val from = if (wide * many <= 4) at + 8L else block.long(at + 8, big)
    if (many == 0L || from + wide > block.size) return 1
    val here = from.toInt()
    return when (wide) {
        1 -> block.byte(here).toByte().toInt()
        2 -> block.short(here, big)
        else -> block.long(here, big).toInt()
    }
}
