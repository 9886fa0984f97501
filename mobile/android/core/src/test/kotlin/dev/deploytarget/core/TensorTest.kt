package dev.deploytarget.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer

class TensorTest {
    @Test
    fun `numbers lie in little endian whatever the buffer says`() {
        val tensor = Tensor(DType.INT32, listOf(1), ByteBuffer.wrap(byteArrayOf(1, 2, 0, 0)))
        assertArrayEquals(longArrayOf(513), tensor.longs())
        assertArrayEquals(byteArrayOf(1, 2, 0, 0), Tensor.of(listOf(1), intArrayOf(513)).bytes())
    }

    @Test
    fun `a buffer is read from its position to its limit`() {
        val part = part(ByteBuffer.wrap(byteArrayOf(9, 9, 7, 8, 9)), 2, 4)
        assertArrayEquals(longArrayOf(7, 8), Tensor(DType.UINT8, listOf(2), part).longs())
    }

    @Test
    fun `bytes of another count than the shape has are refused`() {
        val error = assertThrows(IllegalArgumentException::class.java) { Tensor(DType.FLOAT32, listOf(2), ByteBuffer.allocate(4)) }
        assertEquals("4 bytes are no float32 [2], which takes 8", error.message)
    }

    @Test
    fun `every dtype keeps its smallest and largest numbers`() {
        val ends = mapOf(
            DType.UINT8 to listOf(0L, 255L), DType.INT8 to listOf(-128L, 127L), DType.UINT16 to listOf(0L, 65535L),
            DType.INT16 to listOf(-32768L, 32767L), DType.UINT32 to listOf(0L, 4294967295L),
            DType.INT32 to listOf(-2147483648L, 2147483647L), DType.INT64 to listOf(Long.MIN_VALUE, Long.MAX_VALUE),
        )
        for ((dtype, both) in ends) {
            assertEquals(dtype.label, both, Tensor.of(dtype, listOf(2), both.toLongArray()).longs().toList())
        }
    }

    @Test
    fun `the largest unsigned number is above zero as a float`() {
        assertEquals(1.8446744073709552e19, Tensor.of(DType.UINT64, listOf(1), longArrayOf(-1)).doubles()[0], 0.0)
    }

    @Test
    fun `half precision rounds to the nearest and of two to the even one`() {
        val given = doubleArrayOf(0.1, 65519.0, 65520.0, 1.00048828125, 1.00146484375, 5.9604644775390625e-8, -0.0)
        val made = Tensor.of(DType.FLOAT16, listOf(given.size), given).doubles()
        assertArrayEquals(doubleArrayOf(0.0999755859375, 65504.0, Double.POSITIVE_INFINITY, 1.0, 1.001953125, 5.9604644775390625e-8, -0.0), made, 0.0)
        assertTrue(Tensor.of(DType.FLOAT16, listOf(1), doubleArrayOf(Double.NaN)).doubles()[0].isNaN())
    }

    @Test
    fun `all bits of half precision survive the way there and back`() {
        for (bits in 0..0xffff) {
            val number = ofHalf(bits)
            if (!number.isNaN()) assertEquals(bits, toHalf(number).toInt() and 0xffff)
        }
    }

    @Test
    fun `floats are cut off to whole numbers and integers rounded once to floats`() {
        assertArrayEquals(longArrayOf(-1, 1), Tensor.of(listOf(2), floatArrayOf(-1.9f, 1.9f)).cast(DType.INT32).longs())
        assertEquals(16777216f, Tensor.of(listOf(1), longArrayOf(16777217)).floats()[0], 0f)
    }

    @Test
    fun `a shape that no array can hold is refused`() {
        assertThrows(IllegalArgumentException::class.java) { countOf(listOf(1 shl 20, 1 shl 20, 1 shl 20, 1 shl 20)) }
        assertEquals(0, countOf(listOf(1 shl 30, 0, 1 shl 30)))
    }
}
