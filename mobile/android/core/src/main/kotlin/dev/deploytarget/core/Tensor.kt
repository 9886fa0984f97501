package dev.deploytarget.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/*
 * Tensors as the core passes them on: numbers in little endian, whatever the machine has.
 *
 * In: a buffer, or an array of numbers. Out: the numbers again, as they are or in another dtype.
 * To add a dtype: a line in DType, and one in `doubles` and `Tensor.of`.
 */

/** A dtype, [label] as numpy names it; one element takes [size] bytes. */
enum class DType(val label: String, val size: Int) {
    FLOAT32("float32", 4),
    FLOAT64("float64", 8),
    FLOAT16("float16", 2),
    BOOL("bool", 1),
    UINT8("uint8", 1),
    INT8("int8", 1),
    UINT16("uint16", 2),
    INT16("int16", 2),
    UINT32("uint32", 4),
    INT32("int32", 4),
    UINT64("uint64", 8),
    INT64("int64", 8);

    /** Whether it is compared by how near two numbers are. */
    val isFloat: Boolean get() = this == FLOAT32 || this == FLOAT64 || this == FLOAT16

    companion object {
        /** The dtype of that name. Throws IllegalArgumentException where none has it. */
        fun named(label: String): DType = requireNotNull(values().find { it.label == label }) {
            "no dtype is named \"$label\"; expected one of ${values().joinToString { it.label }}"
        }
    }
}

/** Numbers of one [dtype] in a [shape], the last axis running fastest. Nobody writes to them. */
class Tensor(val dtype: DType, val shape: List<Int>, data: ByteBuffer) {
    private val own: ByteBuffer = data.slice()

    /** How many elements there are; 1 in a scalar. */
    val count: Int = countOf(shape)

    init {
        require(own.remaining().toLong() == count.toLong() * dtype.size) {
            "${own.remaining()} bytes are no ${dtype.label} $shape, which takes ${count.toLong() * dtype.size}"
        }
    }

    /** The bytes, in an own view from 0 on, which reads little endian. */
    val data: ByteBuffer get() = own.duplicate().order(ByteOrder.LITTLE_ENDIAN)

    /** The bytes, copied. */
    fun bytes(): ByteArray = ByteArray(own.remaining()).also { own.duplicate().get(it) }

    /** The values as float32; a larger dtype is rounded. */
    fun floats(): FloatArray = when (dtype) {
        DType.FLOAT32 -> FloatArray(count).also { data.asFloatBuffer().get(it) }
        DType.UINT8 -> plain().let { all -> FloatArray(count) { (all[it].toInt() and 255).toFloat() } }
        DType.INT64 -> longs().let { all -> FloatArray(count) { all[it].toFloat() } }
        else -> doubles().let { all -> FloatArray(count) { all[it].toFloat() } }
    }

    /** The values as float64, exactly but for integers beyond 2^53. */
    fun doubles(): DoubleArray = when (dtype) {
        DType.FLOAT64 -> DoubleArray(count).also { data.asDoubleBuffer().get(it) }
        DType.FLOAT32 -> data.asFloatBuffer().let { all -> DoubleArray(count) { all[it].toDouble() } }
        DType.FLOAT16 -> data.asShortBuffer().let { all -> DoubleArray(count) { ofHalf(all[it].toInt()) } }
        DType.UINT64 -> longs().let { all -> DoubleArray(count) { all[it].toULong().toDouble() } }
        else -> longs().let { all -> DoubleArray(count) { all[it].toDouble() } }
    }

    /** Integers and bool, exactly; of uint64 the bits. Throws IllegalArgumentException for floats. */
    fun longs(): LongArray {
        require(!dtype.isFloat) { "${dtype.label} holds no whole numbers; expected integers or bool" }
        val all = data
        return when (dtype.size) {
            1 -> LongArray(count) { if (dtype == DType.INT8) all[it].toLong() else all[it].toLong() and 0xff }
            2 -> all.asShortBuffer().let { s -> LongArray(count) { cut(s[it].toLong(), DType.UINT16, 0xffff) } }
            4 -> all.asIntBuffer().let { s -> LongArray(count) { cut(s[it].toLong(), DType.UINT32, 0xffffffffL) } }
            else -> LongArray(count).also { all.asLongBuffer().get(it) }
        }
    }

    /** The same values in another dtype: rounded to the nearest float, or cut off to a whole number. */
    fun cast(dtype: DType): Tensor = when {
        dtype == this.dtype -> this
        this.dtype.isFloat -> of(dtype, shape, doubles())
        dtype == DType.FLOAT32 -> of(shape, floats())
        dtype.isFloat -> of(dtype, shape, doubles())
        else -> of(dtype, shape, longs())
    }

    /** The same numbers in another shape of as many. */
    fun reshaped(shape: List<Int>): Tensor = Tensor(dtype, shape, data)

    /** As in "float32 [1, 224, 224, 3]". */
    override fun toString(): String = "${dtype.label} $shape"

    /** The bytes without a copy where that can be; not to be written to. */
    internal fun plain(): ByteArray {
        val whole = own.hasArray() && own.arrayOffset() == 0 && own.array().size == own.remaining()
        return if (whole) own.array() else bytes()
    }

    private fun cut(value: Long, unsigned: DType, mask: Long) = if (dtype == unsigned) value and mask else value

    companion object {
        /** float32. */
        fun of(shape: List<Int>, values: FloatArray): Tensor =
            made(DType.FLOAT32, shape, values.size) { it.asFloatBuffer().put(values) }

        /** float64. */
        fun of(shape: List<Int>, values: DoubleArray): Tensor =
            made(DType.FLOAT64, shape, values.size) { it.asDoubleBuffer().put(values) }

        /** int32. */
        fun of(shape: List<Int>, values: IntArray): Tensor =
            made(DType.INT32, shape, values.size) { it.asIntBuffer().put(values) }

        /** int64. */
        fun of(shape: List<Int>, values: LongArray): Tensor = of(DType.INT64, shape, values)

        /** uint8: the very bytes, not copied. */
        fun of(shape: List<Int>, values: ByteArray): Tensor = Tensor(DType.UINT8, shape, ByteBuffer.wrap(values))

        /** Whole numbers in any dtype but float16; what is too large for it loses its upper bits. */
        fun of(dtype: DType, shape: List<Int>, values: LongArray): Tensor = made(dtype, shape, values.size) { to ->
            when {
                dtype.isFloat -> return of(dtype, shape, DoubleArray(values.size) { values[it].toDouble() })
                dtype == DType.BOOL -> for (value in values) to.put(if (value == 0L) 0 else 1)
                dtype.size == 1 -> for (value in values) to.put(value.toByte())
                dtype.size == 2 -> for (value in values) to.putShort(value.toShort())
                dtype.size == 4 -> for (value in values) to.putInt(value.toInt())
                else -> to.asLongBuffer().put(values)
            }
        }

        /** Numbers in any dtype: rounded to the nearest float, or cut off to a whole number. */
        fun of(dtype: DType, shape: List<Int>, values: DoubleArray): Tensor = when (dtype) {
            DType.FLOAT64 -> of(shape, values)
            DType.FLOAT32 -> of(shape, FloatArray(values.size) { values[it].toFloat() })
            DType.FLOAT16 -> made(dtype, shape, values.size) { to -> for (value in values) to.putShort(toHalf(value)) }
            DType.BOOL -> of(dtype, shape, LongArray(values.size) { if (values[it] == 0.0) 0 else 1 })
            DType.UINT64 -> of(dtype, shape, LongArray(values.size) { values[it].toULong().toLong() })
            else -> of(dtype, shape, LongArray(values.size) { values[it].toLong() })
        }

        private inline fun made(dtype: DType, shape: List<Int>, count: Int, fill: (ByteBuffer) -> Unit): Tensor {
            val bytes = ByteArray(Math.multiplyExact(count, dtype.size))
            fill(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN))
            return Tensor(dtype, shape, ByteBuffer.wrap(bytes))
        }
    }
}

/** How many elements a shape has. Throws IllegalArgumentException beyond what an array can hold. */
fun countOf(shape: List<Int>): Int {
    require(shape.all { it >= 0 }) { "$shape is no shape: sizes are from 0" }
    val all = if (0 in shape) 0L else shape.fold(1L) { sum, size -> minOf(sum * size, 1L shl 32) }
    require(all <= Int.MAX_VALUE) { "$shape has more elements than an array can hold" }
    return all.toInt()
}
