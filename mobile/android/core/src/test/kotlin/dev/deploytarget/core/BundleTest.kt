package dev.deploytarget.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer

/** Manifest, golden cases, verdict and recording belong together. */
class BundleTest {
    private val text = """
        {"schema": 3, "name": "doubling", "target": "tflite", "options": {"layout": "nhwc"},
         "signatures": {"tensors": {"inputs": [{"name": "x", "dtype": "float32", "shape": ["B", 2], "kind": "plain", "range": null}],
           "outputs": [{"name": "y", "dtype": "float32", "shape": ["B", 2], "kind": "plain", "range": null}],
           "axes": [{"name": "B", "minimum": 1, "maximum": 4}], "batch": "B"}},
         "entries": [{"name": "b1", "golden": "tensors", "max_input_bytes": null, "max_output_bytes": null,
           "inputs": [{"of": "x", "axes": null, "spec": {"name": "x", "dtype": "float32", "shape": [1, 2], "kind": "plain", "range": null}}],
           "outputs": [{"of": "y", "axes": [1, 0], "spec": {"name": "out", "dtype": "float32", "shape": [2, 1], "kind": "plain", "range": null}}]}],
         "lanes": [{"name": "litert-1t", "recipe": "fp32", "required": true}],
         "bounds": {"fp32": {"tensors": {"y": {"relative_l2": 1e-6, "whole": 2.5, "part": 4.0, "element": "inf", "budget": 0.0, "jumps": 0.0, "jump": 0.0}}}},
         "files": {"model.tflite": {"role": "model", "size": 12, "sha256": "00"}}}
    """.trimIndent().toByteArray()
    private val manifest = Manifest.read(text)
    private val golden = mapOf(
        "tensors/photo|1|0/b1/in/x" to Tensor.of(listOf(1, 2), floatArrayOf(1f, 2f)),
        "tensors/photo|1|0/b1/out/out" to Tensor.of(listOf(2, 1), floatArrayOf(2f, 4f)),
        "tensors/photo|1|0/b1/noise/out" to Tensor.of(listOf(2, 1), floatArrayOf(0f, 0f)),
    )
    private val doubling = Interpreter { _, inputs -> inputs.entries.associate { (_, x) -> "out" to Tensor.of(listOf(2, 1), FloatArray(2) { x.floats()[it] * 2 }) } }

    @Test
    fun `a manifest says what can be called and how near it must be`() {
        assertEquals("doubling", manifest.name)
        assertEquals(listOf(1, 0), manifest.entry("b1").outputs[0].axes)
        assertEquals(Double.POSITIVE_INFINITY, manifest.bounds.getValue("fp32").getValue("tensors").getValue("y").element, 0.0)
        assertEquals(64, manifest.digest.length)
    }

    @Test
    fun `another schema or half a manifest is refused`() {
        assertTrue(assertThrows(BundleDamaged::class.java) { Manifest.read("""{"schema": 4}""".toByteArray()) }.message!!.contains("its schema is 4, and this code reads 3"))
        assertThrows(BundleDamaged::class.java) { Manifest.read(text.copyOf(text.size / 2)) }
        assertThrows(BundleDamaged::class.java) { Manifest.read("""{"schema": 3}""".toByteArray()) }
    }

    @Test
    fun `an entry of another name is refused with those that there are`() {
        assertEquals("no entry is named \"b8\"; this bundle has \"b1\"", assertThrows(IllegalArgumentException::class.java) { manifest.entry("b8") }.message)
    }

    @Test
    fun `a model answers in its own terms whatever the artifact's are`() {
        val y = Model(manifest, null, doubling).run(mapOf("x" to Tensor.of(listOf(2, 2), floatArrayOf(1f, 2f, 3f, 4f)))).getValue("y")
        assertEquals(listOf(2, 2), y.shape)
        assertArrayEquals(floatArrayOf(2f, 4f, 6f, 8f), y.floats(), 0f)
    }

    @Test
    fun `golden cases are read with their questions and answers`() {
        val case = Golden.read(file(golden)).single()
        assertEquals(listOf("tensors", "photo/1/0", "b1"), listOf(case.golden, case.call, case.entry))
        assertEquals(listOf(setOf("x"), setOf("out"), setOf("out")), listOf(case.inputs.keys, case.expected.keys, case.noise.keys))
        assertThrows(BundleDamaged::class.java) { Golden.read(file(mapOf("a/b" to Tensor.of(listOf(1), FloatArray(1))))) }
    }

    @Test
    fun `a right answer passes and a wrong, missing or additional one fails`() {
        val case = Golden.read(file(golden)).single()
        val check = Check(manifest)
        val right = doubling.run("b1", case.inputs)
        assertEquals(listOf(true), check.judged(case, right).map { it.passed })
        assertEquals(listOf(false), check.judged(case, mapOf("out" to Tensor.of(listOf(2, 1), floatArrayOf(2f, 4.1f)))).map { it.passed })
        assertEquals(listOf("it is missing"), check.judged(case, mapOf()).map { it.reason })
        assertEquals(listOf("", "entry \"b1\" has no such output"), check.judged(case, right + ("more" to case.inputs.getValue("x"))).map { it.reason })
        assertEquals(listOf(false), check.judged(case, mapOf("out" to Tensor.of(listOf(1, 2), floatArrayOf(2f, 4f)))).map { it.passed })
        val wide = mapOf("out" to Tensor.of(listOf(2, 1), doubleArrayOf(2.0, 4.0)))
        assertEquals(listOf("its dtype is float64, expected float32"), check.judged(case, wide).map { it.reason })
    }

    @Test
    fun `a recording says which bundle was asked by what`() {
        val case = Golden.read(file(golden)).single()
        val recording = Recording(manifest, "litert-1t", "LiteRT 1.4", "a phone")
        recording.add(case, doubling.run("b1", case.inputs))
        val read = Safetensors.read(ByteBuffer.wrap(ByteArrayOutputStream().also(recording::write).toByteArray()))
        assertEquals(setOf("tensors/photo/1/0/out"), read.tensors.keys)
        assertEquals(mapOf("manifest" to manifest.digest, "lane" to "litert-1t", "runtime" to "LiteRT 1.4", "device" to "a phone"), read.metadata)
        assertThrows(IllegalArgumentException::class.java) { Recording(manifest, "gpu", "LiteRT", "a phone") }
    }

    private fun file(tensors: Map<String, Tensor>) = ByteBuffer.wrap(ByteArrayOutputStream().also { Safetensors(tensors).write(it) }.toByteArray())
}
