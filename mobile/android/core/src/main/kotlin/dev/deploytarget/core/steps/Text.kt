package dev.deploytarget.core.steps

import dev.deploytarget.core.Around
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor

/*
 * Text: from scores of each step in time to the tokens that were said.
 */

/**
 * The best token of each step, repeats once, blanks never: int64 [tokens].
 *
 * `time` is the axis of time, 1 in [1, steps, tokens] and 0 in [steps, 1, tokens]. Of equal scores
 * the lower token is taken; one that is no number is worth less than any other.
 */
internal fun ctc(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val given = named(tensors, of)
    val items = given.shape[1 - options.int("time")]
    require(items == 1) { "text is read from one item, not from $items" }
    val (blank, scores) = options.int("blank") to given.floats()
    val around = Around(given.shape, -1)
    val said = ArrayList<Long>()
    var before = -1
    for (step in 0 until around.outer) {
        val token = best(scores, step * around.along, around.along)
        if (token != before && token != blank) said.add(token.toLong())
        before = token
    }
    tensors[of] = Tensor.of(listOf(said.size), said.toLongArray())
}

/** The place of the largest of some scores, the first of equal ones. */
private fun best(scores: FloatArray, start: Int, along: Int): Int {
    var found = 0
    var most = Float.NEGATIVE_INFINITY
    for (i in 0 until along) {
        if (scores[start + i] > most) {
            found = i
            most = scores[start + i]
        }
    }
    return found
}
