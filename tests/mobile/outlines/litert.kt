@file:Suppress("UNUSED_PARAMETER")

package com.google.ai.edge.litert

import android.content.res.AssetManager

// What of LiteRT's Kotlin API the Android project uses, as LiteRT 2.3 declares it.

enum class Accelerator { NONE, CPU, GPU, NPU }

class TensorBuffer : AutoCloseable {
    fun writeInt(data: IntArray): Unit = TODO()
    fun writeFloat(data: FloatArray): Unit = TODO()
    fun writeInt8(data: ByteArray): Unit = TODO()
    fun writeBoolean(data: BooleanArray): Unit = TODO()
    fun readInt(): IntArray = TODO()
    fun readFloat(): FloatArray = TODO()
    fun readInt8(): ByteArray = TODO()
    fun readBoolean(): BooleanArray = TODO()
    override fun close(): Unit = TODO()
}

class CompiledModel private constructor() : AutoCloseable {
    data class GpuOptions(val precision: Precision? = null) {
        enum class Precision { DEFAULT, FP16, FP32 }
    }

    class Options(val accelerators: Set<Accelerator>) {
        constructor(vararg accelerators: Accelerator) : this(setOf(*accelerators))

        var gpuOptions: GpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String? = null): TensorBuffer = TODO()
    fun createOutputBuffer(outputName: String, signature: String? = null): TensorBuffer = TODO()
    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String? = null): Unit = TODO()
    override fun close(): Unit = TODO()

    companion object {
        fun create(assetManager: AssetManager, assetName: String, options: Options): CompiledModel = TODO()
    }
}
