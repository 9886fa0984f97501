package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor
import kotlin.math.max
import kotlin.math.min

/*
 * Boxes: from all that a detector proposes to the few that are meant, on the photo as it was sent.
 *
 * A box counts where its score is above the limit and all its corners are finite. One class at a
 * time, the best box is taken and those that overlap it by more than `iou` are left out. Everything
 * is float32 in the order of the reference, down to the same bits.
 */

/** A row for each proposal. */
private class Rows(val data: FloatArray, val rows: Int, val width: Int) {
    operator fun get(row: Int, column: Int) = data[row * width + column]

    operator fun set(row: Int, column: Int, value: Float) {
        data[row * width + column] = value
    }

    fun columns(from: Int, to: Int): Rows {
        val wide = to - from
        return Rows(FloatArray(rows * wide) { this[it / wide, from + it % wide] }, rows, wide)
    }
}

/**
 * OF becomes float32 [found, 6]: x1, y1, x2, y2, score, class; best first, at most `max`.
 *
 * Of equal scores the lower class is first, then the lower index of the proposal. `layout` "rows" is
 * [1, proposals, 4], "columns" [1, 4, proposals]; without `scores` they follow the four.
 */
internal fun detections(tensors: MutableMap<String, Tensor>, of: String, options: Fields) {
    val boxes = rowsOf(named(tensors, of), options.text("layout"))
    val scores = options.textOrNull("scores")
    val marks =
        if (scores == null) boxes.columns(4, boxes.width)
        else rowsOf(named(tensors, scores), options.text("scores_layout"))
    tensors.remove(of)
    if (scores != null) tensors.remove(scores)
    val corners = cornersOf(boxes, options)
    weigh(marks, corners, options.intOrNull("background"), options.flag("best"))
    val found = (0 until marks.width).flatMap { kind ->
        withoutOverlaps(corners, marks, kind, options).map { i ->
            floatArrayOf(corners[i, 0], corners[i, 1], corners[i, 2], corners[i, 3], marks[i, kind], kind.toFloat())
        }
    }
    val order = ordered(found.size) { found[it][4].toDouble() }.take(options.int("max"))
    tensors[of] = Tensor.of(listOf(order.size, 6), FloatArray(order.size * 6) { found[order[it / 6]][it % 6] })
}

/** Boxes in pixels of what the model saw -> in pixels of the photo, and within it. */
internal fun unframe(tensors: MutableMap<String, Tensor>, of: String, frame: Frame) {
    val given = named(tensors, of)
    val (height, width) = frame.photo()
    val (sx, sy, ox, oy) = frame.placed()
    val boxes = given.floats()
    for (row in boxes.indices step given.shape[1]) {
        for (at in listOf(row, row + 2)) {
            boxes[at] = min(max((boxes[at] - ox) / sx, 0.0), width.toDouble()).toFloat()
            boxes[at + 1] = min(max((boxes[at + 1] - oy) / sy, 0.0), height.toDouble()).toFloat()
        }
    }
    tensors[of] = Tensor.of(given.shape, boxes)
}

/** [1, ...] of one item -> a row for each proposal. */
private fun rowsOf(given: Tensor, layout: String): Rows {
    val (items, high, wide) = given.shape.also { require(it.size == 3) { "boxes have three axes, not $it" } }
    require(items == 1) { "boxes are found for one item at a time, not for $items" }
    val data = given.floats()
    if (layout == "rows") return Rows(data, high, wide)
    return Rows(FloatArray(data.size) { data[it % high * wide + it / high] }, wide, high)
}

/** x1, y1, x2, y2 of each proposal. */
private fun cornersOf(boxes: Rows, options: Fields): Rows {
    val corners = boxes.columns(0, 4)
    val format = options.text("format")
    val relative = if (options.text("unit") == "relative") options.intsOrNull("size") else null
    val (height, width) = relative ?: listOf(1, 1)
    for (row in 0 until corners.rows) {
        for ((at, scale) in listOf(0 to width, 1 to height)) {
            var first = corners[row, at]
            var second = corners[row, at + 2]
            if (format == "xywh") {
                second += first
            } else if (format == "cxcywh") {
                val half = second * 0.5f
                second = first + half
                first -= half
            }
            corners[row, at] = first * scale
            corners[row, at + 2] = second * scale
        }
    }
    return corners
}

/** Writes minus infinity over the scores of what can never be found. */
private fun weigh(marks: Rows, corners: Rows, background: Int?, best: Boolean) {
    val never = Float.NEGATIVE_INFINITY
    for (row in 0 until marks.rows) {
        val sound = (0 until 4).all { corners[row, it].isFinite() }
        for (kind in 0 until marks.width) {
            if (!sound || marks[row, kind].isNaN() || kind == background) marks[row, kind] = never
        }
        if (!best) continue
        var top = 0
        for (kind in 0 until marks.width) if (marks[row, kind] > marks[row, top]) top = kind
        for (kind in 0 until marks.width) if (kind != top) marks[row, kind] = never
    }
}

/** Which proposals stay, best first. Equal to the limit is not above it, for both limits. */
private fun withoutOverlaps(corners: Rows, marks: Rows, kind: Int, options: Fields): List<Int> {
    val (score, iou) = options.number("score").toFloat() to options.number("iou").toFloat()
    val above = (0 until marks.rows).filter { marks[it, kind] > score }
    var left = ordered(above.size) { marks[above[it], kind].toDouble() }.map { above[it] }
    val kept = ArrayList<Int>()
    while (left.isNotEmpty() && kept.size < options.int("max")) {
        val one = left.first()
        kept.add(one)
        left = left.drop(1).filterNot { overlap(corners, one, it) > iou }
    }
    return kept
}

/** Intersection over union; 0 where there is no area. Corners may come in either order. */
private fun overlap(corners: Rows, one: Int, other: Int): Float {
    val wide = shared(corners, one, other, 0)
    val high = shared(corners, one, other, 1)
    val common = wide * high
    val (area, another) = areaOf(corners, one) to areaOf(corners, other)
    val union = area + another - common
    val meet = wide > 0 && high > 0 && common > 0 && area > 0 && another > 0 && union > 0
    return if (meet) common / union else 0f
}

private fun shared(corners: Rows, one: Int, other: Int, at: Int): Float {
    val end = min(max(corners[one, at], corners[one, at + 2]), max(corners[other, at], corners[other, at + 2]))
    return end - max(min(corners[one, at], corners[one, at + 2]), min(corners[other, at], corners[other, at + 2]))
}

private fun areaOf(corners: Rows, row: Int): Float = long(corners, row, 0) * long(corners, row, 1)

private fun long(corners: Rows, row: Int, at: Int): Float =
    max(corners[row, at], corners[row, at + 2]) - min(corners[row, at], corners[row, at + 2])
