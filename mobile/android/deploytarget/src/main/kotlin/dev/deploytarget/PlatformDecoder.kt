package dev.deploytarget

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import dev.deploytarget.core.Refused
import dev.deploytarget.core.steps.ImageDecoder
import dev.deploytarget.core.steps.Photo
import dev.deploytarget.core.steps.PhotoHeader
import java.nio.ByteBuffer

/*
 * Photos as Android decodes them: as they lie in the file. Orientation, transparency and limits are the
 * core's. Its JPEG decoder may be a level of 255 away from Pillow's; nobody has measured that on a device yet.
 */

/** BitmapFactory: JPEG, PNG, WebP, GIF and BMP on every Android that this library runs on. */
internal object PlatformDecoder : ImageDecoder {
    override fun decode(bytes: ByteArray, header: PhotoHeader): Photo {
        val options = BitmapFactory.Options().apply {
            inPreferredConfig = Bitmap.Config.ARGB_8888
            // Straight alpha, and the numbers of the file: nothing is converted to the screen's colours.
            inPremultiplied = false
            inScaled = false
        }
        val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, options) ?: throw Refused("the photo is damaged, or of a kind that Android does not know")
        return try {
            photoOf(bitmap)
        } finally {
            bitmap.recycle()
        }
    }
}

/** The pixels of a bitmap: what a camera gives. */
fun photoOf(bitmap: Bitmap): Photo {
    val plain = if (bitmap.config == Bitmap.Config.ARGB_8888) bitmap else bitmap.copy(Bitmap.Config.ARGB_8888, false)
    // Not getPixels, which turns a wider colour space into sRGB: the bytes as they lie there, red first.
    val rgba = ByteArray(4 * plain.width * plain.height)
    plain.copyPixelsToBuffer(ByteBuffer.wrap(rgba))
    return Photo(plain.width, plain.height, rgba)
}
