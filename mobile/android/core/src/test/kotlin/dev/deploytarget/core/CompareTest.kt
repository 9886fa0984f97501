package dev.deploytarget.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class CompareTest {
    private val bound = Bound(1e-5, 2.5, 4.0, 32.0)
    private val want = tensor(100) { 1 + it / 10f }
    private val noise = tensor(100) { 1e-6f }

    @Test
    fun `an equal answer passes`() {
        assertEquals(Distance(0.0, ""), compared(want, want, noise, bound, Meaning(null)))
    }

    @Test
    fun `an answer as far as the original strays passes`() {
        assertEquals("", compared(want, tensor(100) { 1 + it / 10f + 1e-6f }, noise, bound, Meaning(null)).reason)
    }

    @Test
    fun `one element far off fails though the whole is near`() {
        val got = tensor(100) { 1 + it / 10f + if (it == 3) 1e-4f else 0f }
        assertTrue(compared(want, got, noise, bound.copy(relativeL2 = 1.0, whole = 1e9, part = 1e9), Meaning(null)).reason.startsWith("error over noise in an element"))
    }

    @Test
    fun `no number fails where the original has one and passes where it has none`() {
        val hole = tensor(100) { if (it == 5) Float.NaN else 1f }
        assertTrue(compared(tensor(100) { 1f }, hole, null, bound, Meaning(null)).reason.isNotEmpty())
        assertEquals("", compared(hole, hole, null, bound, Meaning(null)).reason)
    }

    @Test
    fun `a missing and a misshapen answer fail`() {
        assertEquals("it is missing", compared(want, null, null, bound, Meaning(null)).reason)
        assertEquals("its shape is [4, 25], expected [100]", compared(want, want.reshaped(listOf(4, 25)), null, bound, Meaning(null)).reason)
    }

    @Test
    fun `integers may differ where the original's own do`() {
        val labels = Tensor.of(listOf(4), longArrayOf(1, 2, 3, 4))
        val other = Tensor.of(listOf(4), intArrayOf(1, 2, 3, 5))
        assertEquals("1 of 4 elements differ, allowed 0", compared(labels, other, null, Bound.NOTHING, Meaning(null)).reason)
        val unsure = Tensor.of(listOf(4), floatArrayOf(0f, 0f, 0f, 1f))
        assertEquals("", compared(labels, other, unsure, Bound.NOTHING, Meaning(null)).reason)
    }

    @Test
    fun `boxes in another order are the same set`() {
        val boxes = Tensor.of(listOf(2, 6), floatArrayOf(0f, 0f, 10f, 10f, 0.9f, 1f, 5f, 5f, 9f, 9f, 0.8f, 2f))
        val turned = Tensor.of(listOf(2, 6), boxes.floats().let { it.copyOfRange(6, 12) + it.copyOfRange(0, 6) })
        assertEquals("", compared(boxes, turned, null, bound, Meaning(null, "detection")).reason)
        assertTrue(compared(boxes, turned, null, bound, Meaning(null)).reason.isNotEmpty())
    }

    private fun tensor(size: Int, value: (Int) -> Float) = Tensor.of(listOf(size), FloatArray(size, value))
}
