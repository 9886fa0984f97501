package dev.deploytarget.core.steps

import dev.deploytarget.core.DType
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.countOf
import dev.deploytarget.core.shortest
import dev.deploytarget.core.toHalf
import java.math.BigInteger

/*
 * The answer in words: labels and scores, boxes, a mask, a text.
 *
 * In: the steps of all outputs and the tensors that they end in. Out: maps, lists, texts and numbers,
 * which Json.write writes; or a mask as a PNG. A step "label" says what an output is, and "palette"
 * the colours of a mask; neither changes a tensor. Each number comes back bit for bit when it is
 * read as the tensor's dtype. To add a form: a function, and a line in `said`.
 */

/** What is still to be said, and how. */
private class Saying(
    val left: MutableMap<String, Tensor>,
    val of: String,
    val options: Fields,
    val colours: List<List<Int>>,
    val single: Boolean,
) {
    val labels = options.textsOrNull("labels")

    /** The tensor of that name, which no one else is to speak of. */
    fun take(name: String): Tensor = named(left, name).also { left.remove(name) }

    fun one(rows: List<Any>): Any = if (single && rows.size == 1) rows[0] else rows

    /** The label of a class, where there are labels. */
    fun name(index: Int): Map<String, Any> {
        val known = labels ?: return emptyMap()
        require(index in known.indices) { "there is no label $index among ${known.size}" }
        return mapOf("label" to known[index])
    }
}

/**
 * The answer by output. [single]: one request is one item, and a leading axis of 1 is left out.
 *
 * Tensors that no step "label" speaks of are nested lists.
 */
fun say(steps: List<Step>, tensors: Map<String, Tensor>, single: Boolean): Map<String, Any> {
    val left = LinkedHashMap(tensors)
    val said = LinkedHashMap<String, Any>()
    for (step in steps.filter { it.op == "label" }) {
        said[step.of] = said(Saying(left, step.of, step.options, coloursOf(steps, step.of), single))
    }
    for ((name, tensor) in left) said[name] = nested(tensor, single)
    return said
}

/** The only mask of an answer as a PNG; null where there is none, or more than one. */
fun picture(steps: List<Step>, tensors: Map<String, Tensor>): ByteArray? {
    val of = steps.filter { it.op == "palette" }.map { it.of }.singleOrNull() ?: return null
    val mask = named(tensors, of)
    val (height, width) = mask.shape.takeLast(2)
    return pngOf(mask.plain().copyOf(height * width), height, width, coloursOf(steps, of))
}

private fun said(asked: Saying): Any = when (val form = asked.options.text("says")) {
    "classes" -> classes(asked)
    "boxes" -> boxes(asked)
    "mask" -> masks(asked)
    "text" -> text(asked)
    else -> throw IllegalArgumentException("no answer is said as \"$form\"")
}

private fun classes(asked: Saying): Any {
    val best = "${asked.of}.indices" in asked.left
    val scores = asked.take(if (best) "${asked.of}.scores" else asked.of)
    val indices = if (best) asked.take("${asked.of}.indices").longs() else null
    val (rows, wide) = scores.shape.also { require(it.size == 2) { "scores have two axes, not $it" } }
    val worth = scores.doubles()
    return asked.one(
        List(rows) { row ->
            val own = worth.copyOfRange(row * wide, (row + 1) * wide)
            val order =
                if (asked.options.flag("zeros")) own.indices.toList() else ordered(wide) { own[it] }.filter { own[it] != 0.0 }
            order.map { place ->
                val at = row * wide + place
                val index = indices?.get(at)?.toInt() ?: place
                asked.name(index) + mapOf("index" to index, "score" to numberOf(scores.dtype, own[place]))
            }
        },
    )
}

private fun boxes(asked: Saying): Any {
    val found = asked.take(asked.of)
    val rows = found.doubles()
    return List(found.shape[0]) { row ->
        val number = { at: Int -> numberOf(found.dtype, rows[6 * row + at]) }
        val kind = rows[6 * row + 5].toInt()
        asked.name(kind) + mapOf("class" to kind, "score" to number(4), "box" to List(4, number))
    }
}

private fun masks(asked: Saying): Any {
    val mask = asked.take(asked.of)
    val (items, height, width) = mask.shape
    val all = mask.plain()
    return asked.one(
        List(items) {
            val pixels = all.copyOfRange(it * height * width, (it + 1) * height * width)
            mapOf(
                "size" to listOf(height, width),
                "png" to base64(pngOf(pixels, height, width, asked.colours)),
                "classes" to shares(pixels, asked),
            )
        },
    )
}

/** How much of a mask each class has, largest first, of equal ones the lower class. */
private fun shares(pixels: ByteArray, asked: Saying): List<Map<String, Any>> {
    val counts = IntArray(256)
    for (pixel in pixels) counts[pixel.toInt() and 0xff] += 1
    return ordered(256) { counts[it].toDouble() }.filter { counts[it] > 0 }.map {
        asked.name(it) + mapOf("index" to it, "share" to counts[it].toDouble() / pixels.size)
    }
}

private fun text(asked: Saying): Any {
    val ids = asked.take(asked.of).longs().toList()
    if (asked.labels == null) return mapOf("ids" to ids)
    val said = ids.joinToString("") { asked.name(it.toInt()).getValue("label") as String }
    val space = asked.options.textOrNull("space").orEmpty()
    return mapOf("text" to if (space.isEmpty()) said else stripped(said.replace(space, " ")), "ids" to ids)
}

/** The shortest number that is the same in the tensor's dtype; a text where JSON has none. */
private fun numberOf(dtype: DType, value: Double): Any = when {
    !value.isFinite() -> value.toString()
    value == 0.0 -> value
    dtype == DType.FLOAT32 -> shortest(value, 9) { it.toFloat().toDouble() == value }.toDouble()
    dtype == DType.FLOAT16 -> shortest(value, 5) { toHalf(it) == toHalf(value) }.toDouble()
    else -> value
}

/** A tensor as nested lists. */
private fun nested(tensor: Tensor, single: Boolean): Any {
    val sizes = if (single && tensor.shape.firstOrNull() == 1) tensor.shape.drop(1) else tensor.shape
    val one = sayer(tensor)
    fun part(axis: Int, from: Int): Any {
        if (axis == sizes.size) return one(from)
        val step = countOf(sizes.drop(axis + 1))
        return List(sizes[axis]) { part(axis + 1, from + it * step) }
    }
    return part(0, 0)
}

/** What says one element. */
private fun sayer(tensor: Tensor): (Int) -> Any {
    if (tensor.dtype.isFloat) {
        val values = tensor.doubles()
        return { at -> if (values[at].isFinite()) values[at] else values[at].toString() }
    }
    val values = tensor.longs()
    return when (tensor.dtype) {
        DType.BOOL -> { at -> values[at] != 0L }
        DType.UINT64 -> { at -> BigInteger(values[at].toULong().toString()) }
        else -> { at -> values[at] }
    }
}

private fun coloursOf(steps: List<Step>, of: String): List<List<Int>> =
    steps.find { it.op == "palette" && it.of == of }?.options?.let { options ->
        options.list("colours").map { Fields(mapOf("colour" to it)).ints("colour") }
    }.orEmpty()

private const val LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/** Base64, which the platform has from Android 8 on. */
internal fun base64(bytes: ByteArray): String {
    val said = StringBuilder((bytes.size + 2) / 3 * 4)
    for (at in bytes.indices step 3) {
        val left = minOf(3, bytes.size - at)
        val three = (0 until 3).fold(0) { sum, i -> (sum shl 8) or if (i < left) bytes[at + i].toInt() and 0xff else 0 }
        for (i in 0 until 4) said.append(if (i <= left) LETTERS[(three shr (18 - 6 * i)) and 63] else '=')
    }
    return said.toString()
}
