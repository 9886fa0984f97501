package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor
import kotlin.math.exp

/*
 * Scores of classes: [rows, classes] in, probabilities, the best few or those above a limit out.
 *
 * A score that is no number is worth less than any other, and of equal ones the lower index is
 * first.
 */

/** Probabilities that sum to 1 along `axis`, float32. */
internal fun softmax(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val around = Around(given.shape, options.int("axis"))
    val powers = given.floats()
    for (o in 0 until around.outer) {
        for (n in 0 until around.inner) share(powers, o * around.along * around.inner + n, around)
    }
    tensors[of] = Tensor.of(given.shape, powers)
}

/** One row of logits becomes probabilities, in place. */
private fun share(values: FloatArray, start: Int, around: Around) {
    val places = start until start + around.along * around.inner step around.inner
    var most = Float.NEGATIVE_INFINITY
    // maxOf gives NaN where there is one, so that it reaches the whole row.
    for (i in places) most = maxOf(most, values[i])
    var sum = 0.0
    for (i in places) {
        values[i] = exp((values[i] - most).toDouble()).toFloat()
        sum += values[i]
    }
    for (i in places) values[i] = (values[i] / sum).toFloat()
}

/** A probability for each element by itself, float32. */
internal fun sigmoid(tensors: MutableMap<String, Tensor>, of: String) {
    val given = named(tensors, of)
    val chances = given.floats()
    for (i in chances.indices) chances[i] = 1 / (1 + exp(-chances[i].toDouble()).toFloat())
    tensors[of] = Tensor.of(given.shape, chances)
}

/** The `k` largest of each row: OF.scores float32 and OF.indices int64, [rows, k]. */
internal fun topK(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val scores = given.floats()
    val around = Around(given.shape, -1)
    val kept = minOf(options.int("k"), around.along)
    val best = FloatArray(around.outer * kept)
    val indices = LongArray(best.size)
    for (o in 0 until around.outer) {
        val row = scores.copyOfRange(o * around.along, (o + 1) * around.along)
        descending(row).take(kept).forEachIndexed { place, index ->
            best[o * kept + place] = row[index]
            indices[o * kept + place] = index.toLong()
        }
    }
    val shape = given.shape.dropLast(1) + kept
    tensors.remove(of)
    tensors["$of.scores"] = Tensor.of(shape, best)
    tensors["$of.indices"] = Tensor.of(shape, indices)
}

/** Scores that are not above `at` become 0, those that are no number too; float32. */
internal fun threshold(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val limit = options.number("at").toFloat()
    val above = given.floats()
    for (i in above.indices) if (!(above[i] > limit)) above[i] = 0f
    tensors[of] = Tensor.of(given.shape, above)
}

/** The order of some scores: largest first, of equal ones the lower index. */
internal fun descending(scores: FloatArray): List<Int> = ordered(scores.size) { scores[it].toDouble() }

/** The same of numbers that are asked for by their place. */
internal inline fun ordered(count: Int, score: (Int) -> Double): List<Int> {
    // Zero is zero, whatever its sign: sorting would put 0.0 before -0.0.
    val worth = DoubleArray(count) { score(it).let { one -> if (one.isNaN()) Double.NEGATIVE_INFINITY else one + 0.0 } }
    return worth.indices.sortedByDescending { worth[it] }
}
