package dev.deploytarget.core.steps

import dev.deploytarget.core.DType
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Tensor

/*
 * An image of another size, by the arithmetic of Pillow or of torch.
 *
 * In: [height, width, channels], levels 0..255. Out: the same at the new size, uint8 where Pillow is
 * the convention ("pil", in ResizePillow.kt) and float32, not rounded, where torch is ("torch"
 * averages over what a pixel covers, "none" only looks at its neighbours; weights in Taps.kt).
 */

/** The image at another size; the frame learns where its pixels went. */
internal fun resize(value: Tensor, frame: Frame, options: Fields): Tensor {
    val (height, width) = sides(value)
    val (tall, wide) = newSize(height, width, options)
    // Edges map to edges, and so every offset so far is stretched with the image.
    val ratio = doubleArrayOf(wide.toDouble() / width, tall.toDouble() / height)
    frame.toModel = frame.placed().let { old -> DoubleArray(4) { old[it] * ratio[it % 2] } }
    val (interpolation, antialias) = options.text("interpolation") to options.text("antialias")
    if (antialias == "pil") return byPillow(value, tall, wide, interpolation, options.textOrNull("passes") ?: "width")
    val rows = weighed(value, 0, taps(height, tall, interpolation, antialias))
    return weighed(rows, 1, taps(width, wide, interpolation, antialias))
}

/** Height and width afterwards. The side that follows is rounded down, but never to nothing. */
private fun newSize(height: Int, width: Int, options: Fields): List<Int> {
    options.intsOrNull("to")?.let { return it }
    val shorter = options.intOrNull("shorter")
    val side = (shorter ?: options.int("longer")).toLong()
    val against = if (shorter != null) minOf(height, width) else maxOf(height, width)
    return listOf(height, width).map { maxOf(1, (side * it / against).toInt()) }
}

/** New rows (axis 0) or columns (axis 1) from old ones. Sums are float64, and float32 once done. */
private fun weighed(value: Tensor, axis: Int, taps: Taps): Tensor {
    if (value.dtype != DType.UINT8) return value.floats().let { given -> weighed(value.shape, axis, taps) { given[it].toDouble() } }
    // A whole photo in float32 would be four times as large.
    val levels = value.plain()
    return weighed(value.shape, axis, taps) { (levels[it].toInt() and 255).toDouble() }
}

private inline fun weighed(shape: List<Int>, axis: Int, taps: Taps, given: (Int) -> Double): Tensor {
    val (height, width, depth) = shape
    val made = taps.places.size / taps.many
    val (outer, old, inner) = if (axis == 0) listOf(1, height, width * depth) else listOf(height, width, depth)
    val data = FloatArray(outer * made * inner)
    val sums = DoubleArray(inner)
    var to = 0
    for (o in 0 until outer) {
        for (i in 0 until made) {
            sums.fill(0.0)
            for (t in i * taps.many until (i + 1) * taps.many) {
                val weight = taps.weights[t].toDouble()
                if (weight == 0.0) continue
                val from = (o * old + taps.places[t]) * inner
                for (n in 0 until inner) sums[n] += weight * given(from + n)
            }
            for (n in 0 until inner) data[to++] = sums[n].toFloat()
        }
    }
    return Tensor.of(if (axis == 0) listOf(made, width, depth) else listOf(height, made, depth), data)
}
