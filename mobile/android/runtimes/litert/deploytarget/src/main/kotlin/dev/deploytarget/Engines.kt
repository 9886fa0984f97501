package dev.deploytarget

import android.content.res.AssetManager
import android.os.Build
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import dev.deploytarget.core.DType
import dev.deploytarget.core.Dim
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Port
import dev.deploytarget.core.Tensor
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter as LiteInterpreter
import org.tensorflow.lite.TensorFlowLite

/*
 * What runs model.tflite: an entry of the manifest is a signature of the file.
 *
 * In: tensors in the artifact's names and layout. Out: its answers. On the CPU it is the Interpreter
 * with XNNPACK, which is also what the bundle was judged in; on the GPU it is CompiledModel, LiteRT 2's only way there.
 * NNAPI is none: Android deprecated it in version 15, and LiteRT 2 has no more of it.
 */

/** LiteRT's Interpreter with XNNPACK. The model stays mapped. */
internal class CpuEngine(model: ByteBuffer, private val manifest: Manifest, threads: Int) : Engine {
    private val lite = LiteInterpreter(model, LiteInterpreter.Options().setNumThreads(threads).setUseXNNPACK(true))

    override val runtime = "LiteRT ${TensorFlowLite.runtimeVersion()}, XNNPACK, $threads threads"

    override fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor> {
        val ports = manifest.entry(entry).outputs
        val outputs = ports.associate { it.spec.name to direct(countOf(it) * it.spec.dtype.size) }
        lite.runSignature(inputs.mapValues { direct(it.value) }, outputs, entry)
        return ports.associate { it.spec.name to Tensor(it.spec.dtype, shapeOf(it), rewound(outputs.getValue(it.spec.name))) }
    }

    override fun close() = lite.close()

    private fun direct(tensor: Tensor): ByteBuffer = direct(tensor.count * tensor.dtype.size).also { rewound(it.put(tensor.data)) }

    // Every Android is little endian, as the core's tensors are.
    private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

    // As a Buffer: older Androids lack this of ByteBuffer itself.
    private fun rewound(buffer: ByteBuffer): ByteBuffer = buffer.also { (it as Buffer).rewind() }
}

/** LiteRT's CompiledModel on the GPU alone, in float32: what it cannot run there is an error and not the CPU's work. */
internal class GpuEngine(assets: AssetManager, model: String, private val manifest: Manifest) : Engine {
    private val compiled = CompiledModel.create(
        assets,
        model,
        CompiledModel.Options(Accelerator.GPU).apply {
            gpuOptions = CompiledModel.GpuOptions(precision = CompiledModel.GpuOptions.Precision.FP32)
        },
    )

    override val runtime = "LiteRT ${TensorFlowLite.runtimeVersion()}, GPU of ${Build.MODEL}"

    override fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor> {
        val ports = manifest.entry(entry).outputs
        val given = inputs.mapValues { (name, tensor) -> compiled.createInputBuffer(name, entry).also { write(it, tensor) } }
        val made = ports.associate { it.spec.name to compiled.createOutputBuffer(it.spec.name, entry) }
        try {
            compiled.run(given, made, entry)
            return ports.associate { it.spec.name to read(made.getValue(it.spec.name), it) }
        } finally {
            (given.values + made.values).forEach { it.close() }
        }
    }

    override fun close() = compiled.close()

    private fun write(buffer: TensorBuffer, tensor: Tensor) = when (tensor.dtype) {
        DType.FLOAT32 -> buffer.writeFloat(tensor.floats())
        DType.INT32 -> buffer.writeInt(IntArray(tensor.count).also { tensor.data.asIntBuffer().get(it) })
        DType.INT8 -> buffer.writeInt8(tensor.bytes())
        DType.BOOL -> buffer.writeBoolean(tensor.bytes().let { all -> BooleanArray(all.size) { all[it] != 0.toByte() } })
        else -> throw IllegalArgumentException("a GPU takes no ${tensor.dtype.label}")
    }

    private fun read(buffer: TensorBuffer, port: Port): Tensor = when (port.spec.dtype) {
        DType.FLOAT32 -> Tensor.of(shapeOf(port), buffer.readFloat())
        DType.INT32 -> Tensor.of(shapeOf(port), buffer.readInt())
        DType.INT8 -> Tensor(DType.INT8, shapeOf(port), ByteBuffer.wrap(buffer.readInt8()))
        DType.BOOL -> buffer.readBoolean().let { all ->
            Tensor(DType.BOOL, shapeOf(port), ByteBuffer.wrap(ByteArray(all.size) { if (all[it]) 1 else 0 }))
        }
        else -> throw IllegalArgumentException("a GPU gives no ${port.spec.dtype.label}")
    }
}

/** Every size of a .tflite is fixed. */
private fun shapeOf(port: Port): List<Int> = port.spec.shape.map { (it as Dim.Fixed).size }

private fun countOf(port: Port): Int = shapeOf(port).fold(1, Int::times)
