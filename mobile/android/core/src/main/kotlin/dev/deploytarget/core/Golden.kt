package dev.deploytarget.core

import java.nio.ByteBuffer

/*
 * The answers that the original model gave, as they travel with a bundle in golden.safetensors.
 *
 * In: the file. Out: its cases, in the artifact's terms. Keys are
 * GOLDEN/CALL/ENTRY/in|out|noise/TENSOR, where a call's own slashes are bars.
 */

/** One question and what the original answers; [noise] is how far it strays from itself. */
class GoldenCase(
    val golden: String,
    val call: String,
    val entry: String,
    val inputs: Map<String, Tensor>,
    val expected: Map<String, Tensor>,
    val noise: Map<String, Tensor>,
)

/** Reads golden.safetensors. */
object Golden {
    /** The name of the file. */
    const val FILE = "golden.safetensors"

    private val SIDES = listOf("in", "out", "noise")

    /** All cases, by call; tensors are views of the buffer. Throws BundleDamaged. */
    fun read(file: ByteBuffer): List<GoldenCase> {
        val found = sortedMapOf<String, List<MutableMap<String, Tensor>>>()
        for ((key, tensor) in Safetensors.read(file).tensors) {
            val parts = key.split("/", limit = 5)
            val side = if (parts.size == 5) SIDES.indexOf(parts[3]) else -1
            if (side < 0) throw BundleDamaged("$FILE holds a key of another form: $key")
            val case = parts.subList(0, 3).joinToString("/")
            found.getOrPut(case) { SIDES.map { LinkedHashMap() } }[side][parts[4]] = tensor
        }
        return found.map { (case, sides) ->
            val (golden, call, entry) = case.split("/")
            GoldenCase(golden, call.replace('|', '/'), entry, sides[0], sides[1], sides[2])
        }
    }
}
