@file:Suppress("UNUSED_PARAMETER")

package org.pytorch.executorch

import java.io.Closeable
import java.nio.ByteBuffer
import java.nio.DoubleBuffer
import java.nio.FloatBuffer
import java.nio.IntBuffer
import java.nio.LongBuffer
import java.nio.ShortBuffer

// What of ExecuTorch's API for Android the project uses, as executorch-android 1.5 declares it.

abstract class Tensor internal constructor() {
    fun shape(): LongArray = TODO()
    open val dataAsFloatArray: FloatArray get() = TODO()
    open val dataAsDoubleArray: DoubleArray get() = TODO()
    open val dataAsShortArray: ShortArray get() = TODO()
    open val dataAsLongArray: LongArray get() = TODO()
    open val dataAsIntArray: IntArray get() = TODO()
    open val dataAsByteArray: ByteArray get() = TODO()
    open val dataAsUnsignedByteArray: ByteArray get() = TODO()

    companion object {
        @JvmStatic fun fromBlob(data: FloatBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlob(data: DoubleBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlob(data: ShortBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlob(data: LongBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlob(data: IntBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlob(data: ByteBuffer, shape: LongArray): Tensor = TODO()
        @JvmStatic fun fromBlobUnsigned(data: ByteBuffer, shape: LongArray): Tensor = TODO()
    }
}

class EValue private constructor() {
    fun toTensor(): Tensor = TODO()

    companion object {
        @JvmStatic fun from(tensor: Tensor): EValue = TODO()
    }
}

open class Module private constructor() : Closeable {
    open fun execute(methodName: String, vararg inputs: EValue): Array<EValue> = TODO()
    open fun loadMethod(methodName: String): Unit = TODO()
    override fun close(): Unit = TODO()

    companion object {
        const val LOAD_MODE_MMAP = 1

        @JvmStatic
        @JvmOverloads
        fun load(modelPath: String?, loadMode: Int = 0, numThreads: Int = 0): Module = TODO()
    }
}
