package dev.deploytarget

import dev.deploytarget.core.DType
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Port
import dev.deploytarget.core.Tensor
import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.pytorch.IValue
import org.pytorch.LiteModuleLoader
import org.pytorch.LitePyTorchAndroid
import org.pytorch.Module
import org.pytorch.Tensor as Blob

/*
 * What runs model.ptl: an entry of the manifest is a method of the file, whose tensors have no names: they go in and
 * come out, as a tuple, in the manifest's order.
 *
 * In: tensors in the artifact's names and layout. Out: its answers, in the sizes that the runtime gives, for an axis
 * may be open. PyTorch's API for Android has float32, float64, int32, int64, int8 and uint8, and no others.
 *
 * This runtime is of 2023, and the file is written by a newer PyTorch: nobody has checked yet that it is loaded here.
 */

private const val VERSION = "2.1.0"

/** PyTorch's lite interpreter on the CPU. The number of threads is that of all its models in the app. */
internal class CpuEngine(file: File, private val manifest: Manifest, threads: Int) : Engine {
    private val module: Module

    init {
        LitePyTorchAndroid.setNumThreads(threads)
        module = LiteModuleLoader.load(file.path)
    }

    override val runtime = "PyTorch Mobile $VERSION, lite interpreter, $threads threads"

    override fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor> {
        val asked = manifest.entry(entry)
        val given = asked.inputs.map { IValue.from(blobOf(inputs.getValue(it.spec.name))) }
        val made = module.runMethod(entry, *given.toTypedArray()).toTuple()
        check(made.size == asked.outputs.size) { "$entry gave ${made.size} values, expected ${asked.outputs.size}" }
        return asked.outputs.zip(made).associate { (port, value) -> port.spec.name to tensorOf(port, value.toTensor()) }
    }

    override fun close() = module.destroy()
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
        DType.INT64 -> Blob.fromBlob(bytes.asLongBuffer(), shape)
        DType.INT32 -> Blob.fromBlob(bytes.asIntBuffer(), shape)
        DType.INT8 -> Blob.fromBlob(bytes, shape)
        DType.UINT8 -> Blob.fromBlobUnsigned(bytes, shape)
        else -> throw IllegalArgumentException("PyTorch for Android takes no ${tensor.dtype.label}")
    }
}

/** Each of these throws IllegalStateException where the file gives another dtype than the manifest says. */
private fun tensorOf(port: Port, made: Blob): Tensor {
    val shape = made.shape().map { Math.toIntExact(it) }
    return when (port.spec.dtype) {
        DType.FLOAT32 -> Tensor.of(shape, made.dataAsFloatArray)
        DType.FLOAT64 -> Tensor.of(shape, made.dataAsDoubleArray)
        DType.INT64 -> Tensor.of(shape, made.dataAsLongArray)
        DType.INT32 -> Tensor.of(shape, made.dataAsIntArray)
        DType.INT8 -> Tensor(DType.INT8, shape, ByteBuffer.wrap(made.dataAsByteArray))
        DType.UINT8 -> Tensor.of(shape, made.dataAsUnsignedByteArray)
        else -> throw IllegalArgumentException("PyTorch for Android gives no ${port.spec.dtype.label}")
    }
}
