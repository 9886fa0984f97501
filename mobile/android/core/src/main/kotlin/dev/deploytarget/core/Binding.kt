package dev.deploytarget.core

/*
 * The model's terms <-> the artifact's, as the build wrote them down in the manifest.
 *
 * In: tensors in the model's names and layout. Out: the calls that ask them of the artifact, and its
 * answers back in the model's. Names, permutations, casts, and a batch that is split or filled up
 * where an entry takes only so many at once.
 */

/** A call of one entry: [rows] of the batch, null for all; of its answer the first [kept] count. */
class Call(val entry: Entry, val rows: IntArray?, val kept: Int, val feeds: Map<String, Tensor>)

/** Where the batch lies in a tensor, also within a product such as "batch*time"; null: nowhere. */
fun batchAxis(spec: Spec, batch: String?): Int? =
    spec.shape.indexOfFirst { it is Dim.Named && it.name.substringBefore('*') == batch }.takeIf { it >= 0 }

/** Translates between a model's [signature] and the [entries] of an artifact. */
class Binding(private val signature: Signature, private val entries: List<Entry>) {
    private val inputs = signature.inputs.associateBy { it.name }
    private val batch = signature.batch

    /** The calls that ask these tensors. Throws IllegalArgumentException where no entry takes them. */
    fun calls(tensors: Map<String, Tensor>): List<Call> {
        accept(signature, tensors)
        val sizes = sizesOf(signature.inputs, tensors)
        return plan(tensors, sizes).map { part ->
            val feeds = part.entry.inputs.associate { port ->
                val whole = tensors.getValue(port.of)
                val axis = inputs[port.of]?.let { batchAxis(it, batch) }
                val own = if (part.rows == null) whole else taken(whole, axis, sizes[batch] ?: 1, part.rows)
                port.spec.name to permuted(stored(own, port.of, port.spec.dtype), port.axes)
            }
            Call(part.entry, part.rows, part.kept, feeds)
        }
    }

    /** The answers to all calls as one, in the model's terms. */
    fun answer(calls: List<Call>, answers: List<Map<String, Tensor>>): Map<String, Tensor> {
        val whole = LinkedHashMap<String, Tensor>()
        for (spec in signature.outputs) {
            val axis = batchAxis(spec, batch)
            val pieces = calls.zip(answers).mapNotNull { (call, came) ->
                val port = call.entry.outputs.find { it.of == spec.name }
                val tensor = port?.let { came[it.spec.name] } ?: return@mapNotNull null
                val back = stored(permuted(tensor, inverse(port.axes)), spec.name, spec.dtype)
                if (call.rows == null) back else taken(back, axis, call.rows.size, IntArray(call.kept) { it })
            }
            if (pieces.isNotEmpty()) whole[spec.name] = joined(pieces, axis ?: 0)
        }
        return whole
    }

    private class Part(val entry: Entry, val rows: IntArray?, val kept: Int)

    private fun plan(tensors: Map<String, Tensor>, sizes: Map<String, Int>): List<Part> {
        val fits = LinkedHashMap<Int?, Entry>()
        for (entry in entries) {
            val fixed = fixedSizes(entry)
            val same = fixed.all { (axis, size) -> axis == batch || sizes[axis] == size }
            val takes = entry.inputs.map { it.of }.toSet() == tensors.keys
            if (takes && same) fits.getOrPut(batch?.let { fixed[it] }) { entry }
        }
        fits[null]?.let { return listOf(Part(it, null, 0)) }
        val known = fits.keys.filterNotNull()
        require(known.isNotEmpty()) { "nothing in the artifact takes ${said(tensors)}; it takes ${taken()}" }
        val count = sizes[batch] ?: 1
        if (count in known) return listOf(Part(fits.getValue(count), IntArray(count) { it }, count))
        val fixed = signature.outputs.find { batchAxis(it, batch) == null }
        require(fixed == null) { "\"${fixed?.name}\" has no axis $batch, so that a batch of $count cannot be split into $known" }
        return split(count, known).map { (size, rows) -> Part(fits.getValue(size), rows, minOf(size, count - rows[0])) }
    }

    /** The model's axes that an entry has nailed down. */
    private fun fixedSizes(entry: Entry): Map<String, Int> {
        val fixed = HashMap<String, Int>()
        for (port in entry.inputs) {
            val shape = inputs[port.of]?.shape ?: continue
            port.spec.shape.forEachIndexed { index, mine ->
                val dim = shape.getOrNull(port.axes?.get(index) ?: index)
                if (dim is Dim.Named && mine is Dim.Fixed) fixed[dim.name] = mine.size
            }
        }
        return fixed
    }

    private fun said(tensors: Map<String, Tensor>) = tensors.entries.joinToString { (name, tensor) -> "$name ${tensor.shape}" }

    private fun taken() = entries.joinToString(" or ") { entry ->
        entry.inputs.joinToString { port -> "${port.of} ${permutedShape(port)}" }
    }

    private fun permutedShape(port: Port) = inverse(port.axes)?.map { port.spec.shape[it] } ?: port.spec.shape
}

/** Rows of each call; the last is filled up by repetition: split(3, [2]) is (2, [0, 1]), (2, [2, 2]). */
internal fun split(count: Int, sizes: List<Int>): List<Pair<Int, IntArray>> {
    val parts = ArrayList<Pair<Int, IntArray>>()
    var at = 0
    while (at < count) {
        val size = sizes.filter { it <= count - at }.maxOrNull() ?: sizes.min()
        val start = at
        parts.add(size to IntArray(size) { minOf(start + it, count - 1) })
        at += size
    }
    return parts
}

/** The size of each named axis in these tensors. */
internal fun sizesOf(specs: List<Spec>, tensors: Map<String, Tensor>): Map<String, Int> {
    val sizes = HashMap<String, Int>()
    for (spec in specs) {
        spec.shape.forEachIndexed { index, dim ->
            val size = tensors[spec.name]?.shape?.getOrNull(index)
            if (dim is Dim.Named && size != null && dim.name !in sizes) sizes[dim.name] = size
        }
    }
    return sizes
}

/** A tensor in another dtype. Throws IllegalArgumentException for what that cannot hold. */
internal fun stored(tensor: Tensor, name: String, dtype: DType): Tensor {
    val made = tensor.cast(dtype)
    if (made === tensor || dtype.isFloat) return made
    val wrong = if (tensor.dtype.isFloat) {
        val (was, now) = tensor.doubles() to made.doubles()
        was.indices.find { !(truncated(was[it]) == now[it]) }?.let { was[it].toString() }
    } else {
        val (was, now) = tensor.longs() to made.longs()
        was.indices.find { was[it] != now[it] || unsignedAcross(tensor.dtype, dtype, was[it]) }?.let { was[it].toString() }
    }
    require(wrong == null) { "\"$name\" holds $wrong, which is beyond ${dtype.label}" }
    return made
}

private fun truncated(value: Double) = if (value < 0) Math.ceil(value) else Math.floor(value)

/** The same bits, and another number: a sign bit that only one of the two has. */
private fun unsignedAcross(from: DType, to: DType, value: Long) = value < 0 && (from == DType.UINT64) != (to == DType.UINT64)
