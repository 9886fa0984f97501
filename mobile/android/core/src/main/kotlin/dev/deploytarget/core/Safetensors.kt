package dev.deploytarget.core

import java.io.InputStream
import java.io.OutputStream
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/*
 * Tensors in one file: eight bytes that say how long the header is, a header in JSON, the numbers.
 *
 * In: a buffer or a stream. Out: tensors by name, as views of the buffer, and the metadata; and the
 * other way round. A file that is cut off, or whose tensors overlap or have other sizes than their
 * shapes, is BundleDamaged.
 */

private const val LONGEST = 100_000_000L
private const val METADATA = "__metadata__"
private val CODES = mapOf(
    "F64" to DType.FLOAT64, "F32" to DType.FLOAT32, "F16" to DType.FLOAT16, "BOOL" to DType.BOOL,
    "U8" to DType.UINT8, "I8" to DType.INT8, "U16" to DType.UINT16, "I16" to DType.INT16,
    "U32" to DType.UINT32, "I32" to DType.INT32, "U64" to DType.UINT64, "I64" to DType.INT64,
)
private val NAMES = CODES.entries.associate { (code, dtype) -> dtype to code }

/** The tensors and the metadata of a file. */
class Safetensors(val tensors: Map<String, Tensor>, val metadata: Map<String, String> = emptyMap()) {
    /** Writes the file. */
    fun write(to: OutputStream) {
        val header = LinkedHashMap<String, Any?>()
        if (metadata.isNotEmpty()) header[METADATA] = metadata
        // Wide numbers first, so that each lies at a multiple of its size.
        val order = tensors.entries.sortedByDescending { it.value.dtype.size }
        var at = 0L
        for ((name, tensor) in order) {
            require(name != METADATA) { "no tensor may be named $METADATA" }
            val end = at + tensor.count.toLong() * tensor.dtype.size
            header[name] = mapOf(
                "dtype" to NAMES[tensor.dtype], "shape" to tensor.shape, "data_offsets" to listOf(at, end),
            )
            at = end
        }
        val text = Json.write(header).toByteArray(Charsets.UTF_8)
        val padded = text.copyOf((text.size + 7) / 8 * 8).also { it.fill(' '.code.toByte(), text.size) }
        val size = ByteArray(8)
        ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).putLong(padded.size.toLong())
        to.write(size)
        to.write(padded)
        for ((_, tensor) in order) to.write(tensor.plain())
    }

    companion object {
        /** The tensors between the buffer's position and its limit. Throws BundleDamaged. */
        fun read(buffer: ByteBuffer): Safetensors {
            val file = buffer.slice().order(ByteOrder.LITTLE_ENDIAN)
            val long = if (file.remaining() < 8) -1 else file.getLong(0)
            if (long !in 2..LONGEST) throw BundleDamaged("the file does not begin as safetensors do")
            val start = 8 + long.toInt()
            if (start > file.remaining()) throw BundleDamaged("the safetensors file ends within its header")
            val text = ByteArray(start - 8).also { part(file, 8, start).get(it) }
            val body = part(file, start, file.limit())
            return Fields.inFile("the header of a safetensors file", text) { header -> read(header, body) }
        }

        /** The same of a stream, which is read to its end and not closed. */
        fun read(stream: InputStream): Safetensors = read(ByteBuffer.wrap(stream.readBytes()))

        private fun read(header: Fields, body: ByteBuffer): Safetensors {
            val said = if (header.has(METADATA)) header.fields(METADATA) else Fields(emptyMap())
            val metadata = said.map.mapValues { (name, _) -> said.text(name) }
            val places = header.map.keys.filter { it != METADATA }.map { place(it, header.fields(it)) }
            var end = 0L
            for (place in places.sortedWith(compareBy({ it.from }, { it.to }))) {
                if (place.from != end) throw BundleDamaged("\"${place.name}\" begins at ${place.from}, expected $end")
                end = place.to
            }
            if (end != body.remaining().toLong()) throw BundleDamaged("the tensors take $end bytes, and ${body.remaining()} are there")
            return Safetensors(places.associate { it.name to it.read(body) }, metadata)
        }

        private fun place(name: String, said: Fields): Place {
            val (shape, offsets) = said.ints("shape") to said.numbers("data_offsets")
            require(offsets.size == 2) { "data_offsets of \"$name\" are no pair" }
            val (from, to) = offsets.map { it.toLong() }
            val code = said.text("dtype")
            val known = CODES[code]?.size ?: if (code == "BF16") 2 else null
            val wide = requireNotNull(known) { "\"$name\" is $code, which is not known here" }
            val size = countOf(shape).toLong() * wide
            require(from in 0..to && to - from == size) { "\"$name\" has ${to - from} bytes, $code $shape takes $size" }
            return Place(name, code, shape, from, to)
        }
    }

    private class Place(val name: String, val code: String, val shape: List<Int>, val from: Long, val to: Long) {
        fun read(body: ByteBuffer): Tensor {
            val own = part(body, from.toInt(), to.toInt())
            val dtype = CODES[code] ?: return Tensor.of(shape, widened(own.order(ByteOrder.LITTLE_ENDIAN)))
            return Tensor(dtype, shape, own)
        }

        /** bfloat16 is the upper half of a float32. */
        private fun widened(from: ByteBuffer) =
            FloatArray(countOf(shape)) { Float.fromBits(from.getShort(2 * it).toInt() shl 16) }
    }
}

/** Bytes of a buffer from one place to another, without a copy. */
internal fun part(buffer: ByteBuffer, from: Int, to: Int): ByteBuffer {
    val view = buffer.duplicate()
    // As a Buffer: older Androids lack these of ByteBuffer itself.
    (view as Buffer).limit(to)
    (view as Buffer).position(from)
    return view.slice()
}
