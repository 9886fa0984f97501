package dev.deploytarget.core.steps

/*
 * What the platform does for photos, and all it does: bytes of a file -> its pixels as they lie there.
 */

/** What a photo's file says before a pixel is decoded; sides as they lie in the file. */
class PhotoHeader(
    /** "JPEG", "PNG", "WEBP", "GIF" or "BMP". */
    val kind: String,
    val width: Int,
    val height: Int,
    /** EXIF's: 1 is upright, 5 to 8 lie on their side. */
    val orientation: Int,
)

/** Pixels: [rgba] is a row after the other, four bytes each, colours not multiplied by alpha. */
class Photo(val width: Int, val height: Int, val rgba: ByteArray) {
    init {
        require(width > 0 && height > 0 && rgba.size.toLong() == width.toLong() * height * 4) {
            "a photo of $width x $height has ${width.toLong() * height * 4} bytes, not ${rgba.size}"
        }
    }
}

/** Decodes photos: BitmapFactory on Android, with `inPremultiplied` false and `inScaled` false. */
fun interface ImageDecoder {
    /**
     * The levels of the file: no colour profile applied, no alpha multiplied in, not turned by EXIF,
     * chroma interpolated as libjpeg-turbo does. Of what moves the first frame. Throws Refused.
     */
    fun decode(bytes: ByteArray, header: PhotoHeader): Photo
}
