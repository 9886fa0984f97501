package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor

/*
 * From the bytes of a photo to its pixels.
 *
 * In: bytes of a JPEG, PNG, WebP, GIF or BMP, from anybody. Out: uint8 [height, width, 3 or 1].
 * Whatever the bytes are, the answer is pixels or Refused: 413 too large, 415 no such image, 422
 * damaged. The frame learns the photo's size, upright, and where its pixels are in the tensor.
 *
 * PNG is decoded here (PngPixels.kt), for platforms differ in what is clear and in 16 bits; the
 * platform decodes the other kinds.
 */

/** A JPEG as large as may be has at most so many scans, a smaller one up to 100. */
private const val SCANS = 30

/** Red, green and blue as grey, in 65536ths: ITU-R 601-2. */
private const val RED = 19595
private const val GREEN = 38470
private const val BLUE = 7471

internal fun decodeImage(data: ByteArray, frame: Frame, options: Fields, decoder: ImageDecoder?): Tensor {
    val header = headerOf(data)
    within(header, data, options)
    val turn = if (options.text("orientation") == "exif") header.orientation else 1
    val photo = if (header.kind == "PNG") {
        Png(Bytes(data)).photo()
    } else {
        requireNotNull(decoder) { "a ${header.kind} is decoded by the platform: give the model an ImageDecoder" }
            .decode(data, header)
    }
    if (photo.width != header.width || photo.height != header.height) {
        throw damaged("it decodes to ${photo.width} x ${photo.height}, and its header says ${header.width} x ${header.height}")
    }
    return upright(photo, turn, frame, options)
}

/** A photo's pixels by the rules for alpha and colours, turned upright from EXIF's orientation. */
internal fun upright(photo: Photo, turn: Int, frame: Frame, options: Fields): Tensor {
    val depth = if (options.text("mode") == "rgb") 3 else 1
    val levels = if (depth == 3) colours(photo.rgba, ground(options)) else greys(photo.rgba, ground(options))
    val (tall, wide) = if (turn > 4) photo.width to photo.height else photo.height to photo.width
    frame.size = listOf(tall, wide)
    frame.toModel = doubleArrayOf(1.0, 1.0, 0.0, 0.0)
    return Tensor.of(listOf(tall, wide, depth), turned(levels, photo.height, photo.width, depth, turn))
}

/** Before a single pixel is decoded: the header says how many there would be. */
private fun within(header: PhotoHeader, data: ByteArray, options: Fields) {
    val (width, height) = header.width.toLong() to header.height.toLong()
    val most = options.long("max_pixels")
    val (pixels, ratio) = width * height to options.intOrNull("max_ratio")
    if (pixels > most) throw Refused("the image is $width x $height; at most $most pixels are taken", 413)
    if (ratio != null && maxOf(width, height) > ratio * minOf(width, height)) {
        throw Refused("the image is $width x $height; one side may be $ratio times the other", 413)
    }
    val scans = if (header.kind == "JPEG") scansOf(data) else 1
    if (scans > 100 || scans * pixels > SCANS * most) {
        throw Refused("the image is a JPEG of $scans scans; save it anew, not progressive", 413)
    }
}

private fun scansOf(data: ByteArray) =
    (0 until data.size - 1).count { data[it] == 0xff.toByte() && data[it + 1] == 0xda.toByte() }

/** What is behind what is clear; null where that is as it is. */
private fun ground(options: Fields): Int? = when (options.text("alpha")) {
    "drop" -> null
    "white" -> 255
    else -> 0
}

/** A level of a pixel on a ground. */
private fun level(rgba: ByteArray, pixel: Int, channel: Int, ground: Int?): Int {
    val own = rgba[4 * pixel + channel].toInt() and 255
    if (ground == null) return own
    val share = rgba[4 * pixel + 3].toInt() and 255
    // A division by 255 in whole numbers, rounded to the nearest.
    val sum = ground * (255 - share) + own * share + 128
    return ((sum shr 8) + sum) shr 8
}

private fun colours(rgba: ByteArray, ground: Int?): ByteArray {
    val made = ByteArray(rgba.size / 4 * 3)
    var to = 0
    for (pixel in 0 until rgba.size / 4) for (channel in 0 until 3) made[to++] = level(rgba, pixel, channel, ground).toByte()
    return made
}

private fun greys(rgba: ByteArray, ground: Int?) = ByteArray(rgba.size / 4) {
    val (red, green) = level(rgba, it, 0, ground) to level(rgba, it, 1, ground)
    ((red * RED + green * GREEN + level(rgba, it, 2, ground) * BLUE + 0x8000) shr 16).toByte()
}

/** The photo upright: 1 as it is, 5 to 8 with its sides exchanged. */
private fun turned(pixels: ByteArray, height: Int, width: Int, depth: Int, turn: Int): ByteArray {
    if (turn == 1) return pixels
    val (start, right, down) = walk(height, width, turn)
    val (tall, wide) = if (turn > 4) width to height else height to width
    val made = ByteArray(pixels.size)
    var to = 0
    for (y in 0 until tall) {
        for (x in 0 until wide) {
            val from = (start + y * down + x * right) * depth
            for (c in 0 until depth) made[to++] = pixels[from + c]
        }
    }
    return made
}

/**
 * Where the upright photo's first pixel lies in the file, and how far it is to the next one to the
 * right and to the next one down.
 */
private fun walk(height: Int, width: Int, turn: Int): Triple<Int, Int, Int> {
    val (bottom, last) = (height - 1) * width to width - 1
    return when (turn) {
        2 -> Triple(last, -1, width)
        3 -> Triple(bottom + last, -1, -width)
        4 -> Triple(bottom, 1, -width)
        5 -> Triple(0, width, 1)
        6 -> Triple(bottom, -width, 1)
        7 -> Triple(bottom + last, -width, -1)
        else -> Triple(last, width, -1)
    }
}
