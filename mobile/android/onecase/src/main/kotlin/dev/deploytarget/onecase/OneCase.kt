package dev.deploytarget.onecase

import dev.deploytarget.core.Golden
import dev.deploytarget.core.GoldenCase
import dev.deploytarget.core.Safetensors
import dev.deploytarget.core.TENSORS
import dev.deploytarget.core.Tensor
import java.io.File
import java.nio.ByteBuffer

/*
 * The smallest golden case of a bundle, alone in a file of the same form.
 *
 * In: golden.safetensors and where to write, as arguments. All cases together can be larger than the
 * model; one is enough to see that a GPU computes what the model is.
 */

/** Writes the smallest case whose questions are the model's own tensors; nothing where there is none. */
fun main(arguments: Array<String>) {
    val (golden, file) = arguments.map(::File)
    val cases = Golden.read(ByteBuffer.wrap(golden.readBytes())).filter { it.golden == TENSORS }
    val chosen = cases.minByOrNull { bytes(it.inputs) + bytes(it.expected) } ?: return
    file.outputStream().use { Safetensors(keyed(chosen)).write(it) }
}

private fun keyed(case: GoldenCase): Map<String, Tensor> {
    val head = "${case.golden}/${case.call.replace('/', '|')}/${case.entry}"
    val sides = mapOf("in" to case.inputs, "out" to case.expected, "noise" to case.noise)
    return sides.flatMap { (side, tensors) -> tensors.map { (name, tensor) -> "$head/$side/$name" to tensor } }.toMap()
}

private fun bytes(tensors: Map<String, Tensor>) = tensors.values.sumOf { it.count.toLong() * it.dtype.size }
