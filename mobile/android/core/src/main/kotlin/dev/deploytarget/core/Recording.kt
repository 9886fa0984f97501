package dev.deploytarget.core

import java.io.OutputStream

/*
 * Answers of a device, for `deploy-target verify --actual FILE` to judge where the bundle was built.
 *
 * In: cases and what the artifact answered. Out: a safetensors file of GOLDEN/CALL/OUTPUT, whose metadata
 * says which bundle was asked, in which lane, by which runtime and device.
 */

/** Collects answers. [runtime] is the name and version of what ran the artifact. */
class Recording(
    private val manifest: Manifest,
    private val lane: String,
    private val runtime: String,
    private val device: String,
) {
    private val tensors = LinkedHashMap<String, Tensor>()

    init {
        require(manifest.lanes.any { it.name == lane }) {
            "no lane is named \"$lane\"; this bundle has ${manifest.lanes.joinToString { "\"${it.name}\"" }}"
        }
        require(runtime.isNotEmpty() && device.isNotEmpty()) { "a recording says its runtime and its device" }
    }

    /** Adds the answer to a case, in the artifact's names and layout. */
    fun add(case: GoldenCase, outputs: Map<String, Tensor>) {
        for ((name, tensor) in outputs) tensors["${case.golden}/${case.call}/$name"] = tensor
    }

    /** Writes the file. */
    fun write(to: OutputStream) {
        val said = mapOf("manifest" to manifest.digest, "lane" to lane, "runtime" to runtime, "device" to device)
        Safetensors(tensors, said).write(to)
    }
}
