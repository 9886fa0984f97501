package dev.deploytarget.core.steps

import dev.deploytarget.core.BundleDamaged
import dev.deploytarget.core.DType
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Json
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayInputStream
import javax.imageio.ImageIO

/** What the shared vectors do not ask: words, files that are refused, steps that do not exist. */
class AnswersTest {
    @Test
    fun `a score is the shortest number that reads back the same`() {
        val scores = Tensor.of(listOf(1, 4), floatArrayOf(0.1f, 1 / 3f, 16777216f, 1e-45f))
        val said = say(listOf(label("classes")), mapOf("y" to scores), true).getValue("y") as List<*>
        assertEquals(listOf(0.1, 0.33333334, 16777216.0, 1e-45), said.map { (it as Map<*, *>)["score"] })
    }

    @Test
    fun `an output without a label is nested lists`() {
        val whole = mapOf("y" to Tensor.of(listOf(1, 2), longArrayOf(3, Long.MIN_VALUE)))
        assertEquals("""{"y":[3,-9223372036854775808]}""", Json.write(say(listOf(), whole, true)))
        assertEquals("""{"y":[[3,-9223372036854775808]]}""", Json.write(say(listOf(), whole, false)))
        assertEquals("""{"y":true}""", Json.write(say(listOf(), mapOf("y" to Tensor.of(DType.BOOL, listOf(), longArrayOf(1))), true)))
        assertEquals("""{"y":["NaN",0.5]}""", Json.write(say(listOf(), mapOf("y" to Tensor.of(listOf(2), floatArrayOf(Float.NaN, 0.5f))), true)))
    }

    @Test
    fun `a label that does not exist is an error and no empty text`() {
        val error = assertThrows(IllegalArgumentException::class.java) {
            say(listOf(label("text", """["a"]""")), mapOf("y" to Tensor.of(listOf(1), longArrayOf(1))), true)
        }
        assertEquals("there is no label 1 among 1", error.message)
    }

    @Test
    fun `base64 is that of the standard`() {
        for (length in 0..9) {
            val bytes = ByteArray(length) { (it * 37 + 200).toByte() }
            assertEquals(java.util.Base64.getEncoder().encodeToString(bytes), base64(bytes))
        }
    }

    @Test
    fun `a mask is a picture that others read`() {
        val png = pngOf(byteArrayOf(0, 1, 2, 1), 2, 2, listOf(listOf(0, 0, 0), listOf(255, 0, 9), listOf(1, 2, 3)))
        val image = ImageIO.read(ByteArrayInputStream(png))
        assertEquals(listOf(0x000000, 0xff0009, 0x010203, 0xff0009), listOf(0, 1, 2, 3).map { image.getRGB(it % 2, it / 2) and 0xffffff })
    }

    @Test
    fun `a photo that is cut off anywhere is refused and never decoded in part`() {
        val png = pngOf(ByteArray(64) { (it % 3).toByte() }, 8, 8, listOf(listOf(0, 0, 0), listOf(255, 0, 9), listOf(1, 2, 3)))
        val whole = decoded(png).bytes()
        for (length in png.indices) {
            // What is cut off behind its pixels still has all of them.
            try {
                assertArrayEquals("$length", whole, decoded(png.copyOf(length)).bytes())
                assertTrue("$length", length > png.size - 30)
            } catch (refused: Refused) {
                assertEquals("$length: ${refused.message}", if (length < 4) 415 else 422, refused.status)
            }
        }
    }

    @Test
    fun `a photo of the camera needs no file`() {
        val value = Runner(null).before(listOf(decode()), Photo(2, 1, byteArrayOf(1, 2, 3, -1, 4, 5, 6, -1)), Frame())
        assertEquals("uint8 [1, 2, 3]", value.toString())
        assertArrayEquals(byteArrayOf(1, 2, 3, 4, 5, 6), value.bytes())
        assertThrows(IllegalArgumentException::class.java) { Photo(2, 2, ByteArray(4)) }
    }

    @Test
    fun `a platform's photo of another size than its header is refused`() {
        val gif = byteArrayOf('G'.code.toByte(), 'I'.code.toByte(), 'F'.code.toByte(), '8'.code.toByte(), 57, 97, 2, 0, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 2, 0, 1, 0, 0)
        assertThrows(Refused::class.java) { Runner({ _, _ -> Photo(1, 1, ByteArray(4)) }).before(listOf(decode()), gif, Frame()) }
    }

    @Test
    fun `other recordings than WAV are refused by name`() {
        for ((name, start) in mapOf("FLAC" to "fLaC", "OGG" to "OggS")) {
            val step = step("""{"op": "decode_audio", "options": {"channels": "mono", "amplitude": 1, "max_seconds": 9}}""")
            val refused = assertThrows(Refused::class.java) { Runner(null).before(listOf(step), start.toByteArray() + ByteArray(40), Frame()) }
            assertEquals("this is ${if (name == "OGG") "an" else "a"} $name file; here a WAV file is taken", refused.message)
        }
    }

    @Test
    fun `a user's own step must keep what later steps count on`() {
        val step = step("""{"op": "own", "options": {"name": "twice", "counterpart": "twice.kt:twice", "dtype": "float32", "shape": ["n"], "keeps": true}}""")
        val given = Tensor.of(listOf(2), floatArrayOf(1f, 2f))
        val twice = OwnStep { value -> Tensor.of(value.shape, FloatArray(value.count) { value.floats()[it] * 2 }) }
        assertArrayEquals(floatArrayOf(2f, 4f), Runner(null, mapOf("twice" to twice)).before(listOf(step), given, Frame()).floats(), 0f)
        val shorter = OwnStep { Tensor.of(listOf(1), floatArrayOf(1f)) }
        assertThrows(IllegalArgumentException::class.java) { Runner(null, mapOf("twice" to shorter)).before(listOf(step), given, Frame()) }
        assertThrows(IllegalArgumentException::class.java) { Runner(null).before(listOf(step), given, Frame()) }
    }

    @Test
    fun `a step that nobody knows is named`() {
        val given = Tensor.of(listOf(1), floatArrayOf(1f))
        val error = assertThrows(IllegalArgumentException::class.java) { Runner(null).before(listOf(step("""{"op": "blur", "options": {}}""")), given, Frame()) }
        assertEquals("no step before a model is named \"blur\"", error.message)
    }

    @Test
    fun `steps that are left to a graph are refused`() {
        val text = """{"inputs": {}, "graph": "after.onnx", "host": [], "gives": [], "single": true}"""
        assertThrows(BundleDamaged::class.java) { Steps.read(text.toByteArray()) }
    }

    @Test
    fun `a transform of any length is the sum that defines it`() {
        for (size in listOf(1, 2, 8, 15, 400)) {
            val samples = DoubleArray(size) { Math.sin(it * it * 0.37) }
            val fourier = Fourier(size).also { it.transform(samples) }
            for (k in 0..size / 2) {
                val re = samples.indices.sumOf { samples[it] * Math.cos(2 * Math.PI * k * it / size) }
                val im = samples.indices.sumOf { -samples[it] * Math.sin(2 * Math.PI * k * it / size) }
                assertEquals(re, fourier.re[k], 1e-10)
                assertEquals(im, fourier.im[k], 1e-10)
            }
        }
    }

    private fun decoded(bytes: ByteArray) = Runner(null).before(listOf(decode()), bytes, Frame())

    private fun decode() = step("""{"op": "decode_image", "options": {"mode": "rgb", "orientation": "exif", "alpha": "drop", "max_pixels": 1000, "max_ratio": null}}""")

    private fun label(says: String, labels: String = "null") =
        step("""{"op": "label", "of": "y", "options": {"says": "$says", "labels": $labels, "zeros": true, "space": null}}""")

    @Suppress("UNCHECKED_CAST")
    private fun step(text: String) = Steps.step(Fields(Json.read(text) as Map<String, Any?>))
}
