package dev.deploytarget.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class BindingTest {
    private val signature = Signature(
        listOf(spec("x", DType.FLOAT32, "B", 2, 3)),
        listOf(spec("y", DType.FLOAT32, "B", 3)),
        listOf(Axis("B", 1, 7)),
        "B",
    )

    @Test
    fun `a batch is split into the sizes that there are and the last filled up`() {
        assertEquals(listOf(4 to listOf(0, 1, 2, 3), 1 to listOf(4)), split(5, listOf(4, 1)).map { it.first to it.second.toList() })
        assertEquals(listOf(2 to listOf(0, 1), 2 to listOf(2, 2)), split(3, listOf(2)).map { it.first to it.second.toList() })
    }

    @Test
    fun `what the artifact is asked comes back in the model's terms`() {
        // The artifact has its last axis before the middle one, and takes two at a time.
        val entry = Entry("b2", listOf(Port(spec("in", DType.FLOAT32, 2, 3, 2), "x", listOf(0, 2, 1))), listOf(Port(spec("out", DType.FLOAT32, 3, 2), "y", listOf(1, 0))))
        val binding = Binding(signature, listOf(entry))
        val x = Tensor.of(listOf(3, 2, 3), FloatArray(18) { it.toFloat() })
        val calls = binding.calls(mapOf("x" to x))
        assertEquals(listOf(listOf(0, 1), listOf(2, 2)), calls.map { it.rows!!.toList() })
        assertArrayEquals(floatArrayOf(0f, 3f, 1f, 4f, 2f, 5f, 6f, 9f, 7f, 10f, 8f, 11f), calls[0].feeds.getValue("in").floats(), 0f)
        // The sum over the model's middle axis, laid out as the artifact gives it.
        val answers = calls.map { call ->
            val given = call.feeds.getValue("in").floats()
            mapOf("out" to Tensor.of(listOf(3, 2), FloatArray(6) { val (j, b) = it / 2 to it % 2; given[b * 6 + j * 2] + given[b * 6 + j * 2 + 1] }))
        }
        val y = binding.answer(calls, answers).getValue("y")
        assertEquals(listOf(3, 3), y.shape)
        assertArrayEquals(floatArrayOf(3f, 5f, 7f, 15f, 17f, 19f, 27f, 29f, 31f), y.floats(), 0f)
    }

    @Test
    fun `an entry that takes any batch is asked once`() {
        val any = Entry("main", listOf(Port(signature.inputs[0], "x")), listOf(Port(signature.outputs[0], "y")))
        val calls = Binding(signature, listOf(any)).calls(mapOf("x" to Tensor.of(listOf(5, 2, 3), FloatArray(30))))
        assertEquals(1, calls.size)
        assertEquals(listOf(5, 2, 3), calls[0].feeds.getValue("x").shape)
    }

    @Test
    fun `integers become narrower and wider again`() {
        val ids = ids()
        val calls = ids.calls(mapOf("x" to Tensor.of(listOf(2), longArrayOf(-7, 2147483647))))
        assertEquals("int32 [2]", calls[0].feeds.getValue("x").toString())
        assertArrayEquals(longArrayOf(-7, 2147483647), ids.answer(calls, listOf(mapOf("y" to calls[0].feeds.getValue("x")))).getValue("y").longs())
        assertEquals(DType.INT64, ids.answer(calls, listOf(mapOf("y" to calls[0].feeds.getValue("x")))).getValue("y").dtype)
    }

    @Test
    fun `an integer that the artifact cannot hold is named`() {
        val error = assertThrows(IllegalArgumentException::class.java) { ids().calls(mapOf("x" to Tensor.of(listOf(2), longArrayOf(1, 2147483648)))) }
        assertEquals("\"x\" holds 2147483648, which is beyond int32", error.message)
    }

    @Test
    fun `an axis that is a product of the batch is split by rows`() {
        val both = Signature(listOf(spec("x", DType.FLOAT32, "B*T")), listOf(spec("y", DType.FLOAT32, "B*T")), listOf(), "B")
        val tensor = Tensor.of(listOf(6), FloatArray(6) { it.toFloat() })
        assertArrayEquals(floatArrayOf(4f, 5f, 0f, 1f), taken(tensor, batchAxis(both.inputs[0], "B"), 3, intArrayOf(2, 0)).floats(), 0f)
    }

    @Test
    fun `an output without a batch cannot be split`() {
        val one = signature.copy(outputs = listOf(spec("y", DType.FLOAT32, 1)))
        val entry = Entry("b2", listOf(Port(spec("x", DType.FLOAT32, 2, 2, 3), "x")), listOf(Port(one.outputs[0], "y")))
        val error = assertThrows(IllegalArgumentException::class.java) { Binding(one, listOf(entry)).calls(mapOf("x" to Tensor.of(listOf(3, 2, 3), FloatArray(18)))) }
        assertEquals("\"y\" has no axis B, so that a batch of 3 cannot be split into [2]", error.message)
    }

    @Test
    fun `sizes that no entry has are refused with those that there are`() {
        val free = Signature(listOf(spec("x", DType.FLOAT32, "B", "T")), listOf(), listOf(), "B")
        val entry = Entry("b1", listOf(Port(spec("x", DType.FLOAT32, 1, 4), "x")), listOf())
        val error = assertThrows(IllegalArgumentException::class.java) { Binding(free, listOf(entry)).calls(mapOf("x" to Tensor.of(listOf(1, 5), FloatArray(5)))) }
        assertEquals("nothing in the artifact takes x [1, 5]; it takes x [1, 4]", error.message)
    }

    @Test
    fun `a wrong name, dtype, rank or size is refused with what was expected`() {
        val any = Binding(signature, listOf(Entry("main", listOf(Port(signature.inputs[0], "x")), listOf())))
        val wrong = mapOf(
            "y" to Tensor.of(listOf(1, 2, 3), FloatArray(6)) to "no input is named \"y\"; this model takes \"x\"",
            "x" to Tensor.of(listOf(1, 2, 3), DoubleArray(6)) to "input \"x\" is float64 [1, 2, 3], expected float32 [B, 2, 3]",
            "x" to Tensor.of(listOf(2, 3), FloatArray(6)) to "input \"x\" is float32 [2, 3], expected float32 [B, 2, 3]",
            "x" to Tensor.of(listOf(1, 3, 2), FloatArray(6)) to "input \"x\" is float32 [1, 3, 2], expected float32 [B, 2, 3]",
            "x" to Tensor.of(listOf(8, 2, 3), FloatArray(48)) to "input \"x\" is float32 [8, 2, 3], expected float32 [B, 2, 3]: B must be 1 to 7",
        )
        for ((given, message) in wrong) {
            assertEquals(message, assertThrows(IllegalArgumentException::class.java) { any.calls(mapOf(given)) }.message)
        }
        assertTrue(assertThrows(IllegalArgumentException::class.java) { any.calls(mapOf()) }.message!!.startsWith("input \"x\" is missing"))
    }

    private fun ids(): Binding {
        val long = Signature(listOf(spec("x", DType.INT64, 2)), listOf(spec("y", DType.INT64, 2)), listOf(), null)
        return Binding(long, listOf(Entry("main", listOf(Port(spec("x", DType.INT32, 2), "x")), listOf(Port(spec("y", DType.INT32, 2), "y")))))
    }

    private fun spec(name: String, dtype: DType, vararg dims: Any) =
        Spec(name, dtype, dims.map { if (it is Int) Dim.Fixed(it) else Dim.Named(it as String) })
}
