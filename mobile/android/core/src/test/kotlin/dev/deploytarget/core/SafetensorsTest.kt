package dev.deploytarget.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

class SafetensorsTest {
    private val tensors = mapOf(
        "a" to Tensor.of(listOf(3), byteArrayOf(1, 2, 3)),
        "b/ü" to Tensor.of(listOf(1, 2), doubleArrayOf(0.5, Double.NaN)),
        "none" to Tensor.of(listOf(0, 4), FloatArray(0)),
        "one" to Tensor.of(DType.BOOL, listOf(), longArrayOf(1)),
    )

    @Test
    fun `tensors and metadata come back as they were written`() {
        val read = Safetensors.read(ByteBuffer.wrap(written()))
        assertEquals(mapOf("who" to "a \"test\""), read.metadata)
        assertEquals(tensors.keys, read.tensors.keys)
        for ((name, tensor) in tensors) {
            val back = read.tensors.getValue(name)
            assertEquals(tensor.toString(), back.toString())
            assertArrayEquals(tensor.bytes(), back.bytes())
        }
    }

    @Test
    fun `every tensor lies at a multiple of its size`() {
        val bytes = written()
        val start = 8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0)
        assertEquals(0, start % 8)
    }

    @Test
    fun `a file that is cut off anywhere is refused`() {
        val bytes = written()
        for (length in bytes.indices) {
            assertThrows(BundleDamaged::class.java) { Safetensors.read(ByteBuffer.wrap(bytes.copyOf(length))) }
        }
        assertThrows(BundleDamaged::class.java) { Safetensors.read(ByteBuffer.wrap(bytes + 0)) }
    }

    @Test
    fun `tensors that overlap or leave a hole are refused`() {
        val wrong = mapOf(
            """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""" to "\"b\" begins at 1, expected 2",
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""" to "\"b\" begins at 2, expected 1",
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}""" to "\"a\" has 3 bytes, F32 [1] takes 4",
            """{"a":{"dtype":"F32","shape":[1073741824,4],"data_offsets":[0,3]}}""" to "more elements than",
            """{"a":{"dtype":"F4","shape":[6],"data_offsets":[0,3]}}""" to "\"a\" is F4, which is not known here",
            """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""" to "the tensors take 2 bytes, and 3 are there",
            "[1]" to "holds no object",
        )
        for ((header, why) in wrong) {
            val error = assertThrows(header, BundleDamaged::class.java) { Safetensors.read(ByteBuffer.wrap(file(header, ByteArray(3)))) }
            assertTrue(error.message, why in error.message.orEmpty())
        }
    }

    @Test
    fun `bfloat16 becomes float32`() {
        val header = """{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"""
        val read = Safetensors.read(ByteBuffer.wrap(file(header, byteArrayOf(0x80.toByte(), 0x3f, 0, 0xc0.toByte()))))
        assertArrayEquals(floatArrayOf(1f, -2f), read.tensors.getValue("a").floats(), 0f)
    }

    private fun written() = ByteArrayOutputStream().also { Safetensors(tensors, mapOf("who" to "a \"test\"")).write(it) }.toByteArray()

    private fun file(header: String, body: ByteArray): ByteArray {
        val size = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length.toLong()).array()
        return size + header.toByteArray() + body
    }
}
