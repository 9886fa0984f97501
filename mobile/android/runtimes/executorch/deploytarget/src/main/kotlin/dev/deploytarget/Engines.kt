package dev.deploytarget

import dev.deploytarget.core.DType
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Port
import dev.deploytarget.core.TENSORS
import dev.deploytarget.core.Tensor
import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor as Blob

/*
 * What runs model.pte: an entry of the manifest is a method of the file, whose tensors have no names: they go in and
 * come out in the manifest's order.
 *
 * In: tensors in the artifact's names and layout. Out: its answers, in the sizes that the runtime gives, for an axis
 * may be open. ExecuTorch's API for Android has no bool and no unsigned integers but uint8.
 */

private const val VERSION = "1.5.1"

/** ExecuTorch with XNNPACK and its own kernels, on the CPU. The file is mapped. */
internal class CpuEngine(file: File, private val manifest: Manifest, threads: Int) : Engine {
    private val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)

    init {
        // Now and not at the first question: a file that the runtime does not take is known at load.
        manifest.entries(TENSORS).forEach { module.loadMethod(it.name) }
    }

    override val runtime = "ExecuTorch $VERSION, XNNPACK, $threads threads"

    override fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor> {
        val asked = manifest.entry(entry)
        val given = asked.inputs.map { EValue.from(blobOf(inputs.getValue(it.spec.name))) }
        val made = module.execute(entry, *given.toTypedArray())
        check(made.size == asked.outputs.size) { "$entry gave ${made.size} values, expected ${asked.outputs.size}" }
        return asked.outputs.zip(made).associate { (port, value) -> port.spec.name to tensorOf(port, value.toTensor()) }
    }

    override fun close() = module.close()
}

private fun blobOf(tensor: Tensor): Blob {
    val shape = LongArray(tensor.shape.size) { tensor.shape[it].toLong() }
    // Every Android is little endian, as the core's tensors are.
    val bytes = ByteBuffer.allocateDirect(tensor.count * tensor.dtype.size).order(ByteOrder.nativeOrder()).put(tensor.data)
    // As a Buffer: older Androids lack this of ByteBuffer itself.
    (bytes as Buffer).rewind()
    return when (tensor.dtype) {
        DType.FLOAT32 -> Blob.fromBlob(bytes.asFloatBuffer(), shape)
        DType.FLOAT64 -> Blob.fromBlob(bytes.asDoubleBuffer(), shape)
        DType.FLOAT16 -> Blob.fromBlob(bytes.asShortBuffer(), shape)
        DType.INT64 -> Blob.fromBlob(bytes.asLongBuffer(), shape)
        DType.INT32 -> Blob.fromBlob(bytes.asIntBuffer(), shape)
        DType.INT8 -> Blob.fromBlob(bytes, shape)
        DType.UINT8 -> Blob.fromBlobUnsigned(bytes, shape)
        else -> throw IllegalArgumentException("ExecuTorch for Android takes no ${tensor.dtype.label}")
    }
}

/** Each of these throws IllegalStateException where the file gives another dtype than the manifest says. */
private fun tensorOf(port: Port, made: Blob): Tensor {
    val shape = made.shape().map { Math.toIntExact(it) }
    return when (port.spec.dtype) {
        DType.FLOAT32 -> Tensor.of(shape, made.dataAsFloatArray)
        DType.FLOAT64 -> Tensor.of(shape, made.dataAsDoubleArray)
        DType.FLOAT16 -> halves(shape, made.dataAsShortArray)
        DType.INT64 -> Tensor.of(shape, made.dataAsLongArray)
        DType.INT32 -> Tensor.of(shape, made.dataAsIntArray)
        DType.INT8 -> Tensor(DType.INT8, shape, ByteBuffer.wrap(made.dataAsByteArray))
        DType.UINT8 -> Tensor.of(shape, made.dataAsUnsignedByteArray)
        else -> throw IllegalArgumentException("ExecuTorch for Android gives no ${port.spec.dtype.label}")
    }
}

private fun halves(shape: List<Int>, bits: ShortArray): Tensor {
    val bytes = ByteBuffer.allocate(bits.size * DType.FLOAT16.size).order(ByteOrder.LITTLE_ENDIAN)
    bytes.asShortBuffer().put(bits)
    return Tensor(DType.FLOAT16, shape, bytes)
}
