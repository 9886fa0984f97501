package dev.deploytarget.core.steps

import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32
import java.util.zip.DeflaterOutputStream

/*
 * A PNG with a palette, written here: the platform writes colours, and never classes.
 */

private val SIGNATURE = intArrayOf(137, 80, 78, 71, 13, 10, 26, 10)
private const val WITH_PALETTE = 3

/** The file; the values of its pixels are the classes. [colours]: red, green, blue of each. */
internal fun pngOf(pixels: ByteArray, height: Int, width: Int, colours: List<List<Int>>): ByteArray {
    val file = ByteArrayOutputStream()
    for (byte in SIGNATURE) file.write(byte)
    chunk(file, "IHDR") { to ->
        to.writeInt(width)
        to.writeInt(height)
        for (byte in intArrayOf(8, WITH_PALETTE, 0, 0, 0)) to.write(byte)
    }
    chunk(file, "PLTE") { to -> for (colour in colours) for (level in colour) to.write(level) }
    chunk(file, "IDAT") { to ->
        val packed = DeflaterOutputStream(to)
        for (row in 0 until height) {
            // Each row as it is, not as its difference to another.
            packed.write(0)
            packed.write(pixels, row * width, width)
        }
        packed.finish()
    }
    chunk(file, "IEND") {}
    return file.toByteArray()
}

private inline fun chunk(file: ByteArrayOutputStream, name: String, fill: (DataOutputStream) -> Unit) {
    val body = ByteArrayOutputStream()
    body.write(name.toByteArray(Charsets.US_ASCII))
    fill(DataOutputStream(body))
    val bytes = body.toByteArray()
    val sum = CRC32().also { it.update(bytes) }
    val to = DataOutputStream(file)
    to.writeInt(bytes.size - name.length)
    to.write(bytes)
    to.writeInt(sum.value.toInt())
}
