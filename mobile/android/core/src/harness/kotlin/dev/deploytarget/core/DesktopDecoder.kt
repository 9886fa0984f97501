package dev.deploytarget.core

import dev.deploytarget.core.steps.ImageDecoder
import dev.deploytarget.core.steps.Photo
import dev.deploytarget.core.steps.PhotoHeader
import java.awt.image.BufferedImage
import java.awt.image.IndexColorModel
import java.io.ByteArrayInputStream
import java.io.IOException
import javax.imageio.ImageIO
import javax.imageio.ImageReader

/*
 * Photos on a desktop's JVM, where there is no BitmapFactory: javax.imageio, which reads no WebP.
 */

/** A phone's own decoder takes it. */
class NotDecodedHere(message: String) : RuntimeException(message)

/** The raster's levels: `getRGB` would apply a profile, and take grey for linear light. */
object DesktopDecoder : ImageDecoder {
    override fun decode(bytes: ByteArray, header: PhotoHeader): Photo {
        val reader = ImageIO.getImageReadersByFormatName(header.kind).asSequence().firstOrNull()
            ?: throw NotDecodedHere("javax.imageio reads no ${header.kind}")
        return photo(header, read(reader, bytes))
    }

    private fun read(reader: ImageReader, bytes: ByteArray): BufferedImage = try {
        reader.input = ImageIO.createImageInputStream(ByteArrayInputStream(bytes))
        reader.read(0)
    } catch (error: IOException) {
        throw Refused("the image is cut off or damaged: ${error.message}")
    } finally {
        reader.dispose()
    }

    private fun photo(header: PhotoHeader, image: BufferedImage): Photo {
        val rgba = ByteArray(image.width * image.height * 4)
        val (raster, palette) = image.raster to image.colorModel as? IndexColorModel
        val bands = raster.numBands
        // The raster of four inks is as its file has it, inverted or not.
        if (header.kind == "JPEG" && bands == 4) throw NotDecodedHere("javax.imageio makes no colours of CMYK")
        val pixel = IntArray(bands)
        for (y in 0 until image.height) {
            for (x in 0 until image.width) {
                raster.getPixel(x, y, pixel)
                val argb = palette?.getRGB(pixel[0])
                val to = (y * image.width + x) * 4
                for (c in 0 until 3) rgba[to + c] = (argb?.shr(16 - 8 * c) ?: pixel[if (bands < 3) 0 else c]).toByte()
                rgba[to + 3] = (argb?.ushr(24) ?: if (bands == 4) pixel[3] else 255).toByte()
            }
        }
        return Photo(image.width, image.height, rgba)
    }
}
