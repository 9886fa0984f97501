package dev.deploytarget.core.steps

import dev.deploytarget.core.DType
import dev.deploytarget.core.Fields
import dev.deploytarget.core.Json
import dev.deploytarget.core.Refused
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.evenly

/*
 * Tables: from CSV or JSON to rows of numbers.
 *
 * In: bytes in UTF-8. JSON is told by its first sign, "[" or "{": a list of objects, one object, or
 * a list of lists in the order of the columns. Anything else is CSV. Out: float64 [rows, columns],
 * NaN where a value is missing, a category as its place in the list of them. Rows are counted from
 * 1, the header is none.
 */

/** What is a number in text; not "1_000", "0x10", "1,5" or "inf", whatever the platform makes of them. */
private val NUMBER = Regex("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?")

/** Float64 [rows, columns]. Throws Refused, naming the row and the column. */
internal fun decodeTable(bytes: ByteArray, options: Fields): Tensor {
    val rows = rowsOf(bytes, options)
    val most = options.int("max_rows")
    if (rows.isEmpty()) throw Refused("the table holds no rows")
    if (rows.size > most) throw Refused("the table holds ${rows.size} rows, expected $most at most", 413)
    val cells = options.texts("columns").map { Column(it, options) }
    val out = DoubleArray(rows.size * cells.size) {
        val (row, column) = it / cells.size to it % cells.size
        cells[column].number(rows[row][column], row)
    }
    return Tensor.of(listOf(rows.size, cells.size), out)
}

/** One column: what may be missing in it, and the categories that it has, if any. */
private class Column(private val name: String, options: Fields) {
    private val missing = options.texts("missing").toSet()
    private val mayLack = name in options.texts("optional")
    private val unknownIsNone = options.text("unknown") == "zeros"
    private val names = options.fields("categories").let { if (it.has(name)) it.list(name) else null }
    private val counted = names?.all { it !is String } == true
    private val places = HashMap<Any, Int>().also { known ->
        names?.forEachIndexed { place, one ->
            val key = if (counted) numeral(one) else one as? String
            if (key != null && key !in known) known[key] = place
        }
    }

    fun number(cell: Any?, row: Int): Double = when {
        cell == null || cell is String && stripped(cell) in missing -> absent(row)
        names != null -> place(cell, row, names)
        else -> numberOf(cell, row)
    }

    private fun absent(row: Int): Double {
        if (!mayLack) throw Refused("${where(row)}: a value is missing, and this column needs one")
        return Double.NaN
    }

    /** A category's place among those known; -1 for another one where that may be. */
    private fun place(cell: Any?, row: Int, names: List<Any?>): Double {
        // Zero is zero, whatever its sign.
        val key: Any? = if (counted) numberOf(cell, row) + 0.0 else said(cell)
        places[key]?.let { return it.toDouble() }
        if (unknownIsNone) return -1.0
        throw Refused("${where(row)}: ${short(if (counted) numberOf(cell, row) else cell)} is none of ${listed(names)}")
    }

    private fun numberOf(cell: Any?, row: Int): Double {
        val number = numeral(cell)
        if (number == null || !number.isFinite()) throw Refused("${where(row)}: ${short(cell)} is no number")
        return number
    }

    private fun where(row: Int) = "row ${row + 1}, column '$name'"

    /** A JSON value as a name: a number as Python writes it; a list is nobody's name. */
    private fun said(cell: Any?): String? =
        if (cell is String || cell is Boolean || cell is Json.Number) cell.toString() else null

    /** A JSON number or boolean, or a number written out, with blanks around it or not. */
    private fun numeral(cell: Any?): Double? = when (cell) {
        is Json.Number -> cell.value
        is Boolean -> if (cell) 1.0 else 0.0
        is String -> stripped(cell).takeIf { NUMBER.matches(it) }?.toDouble()
        else -> null
    }
}

/** A number for each missing value, by column; null leaves it missing. */
internal fun impute(value: Tensor, options: Fields): Tensor {
    val values = options.list("values").map { (it as? Json.Number)?.value ?: Double.NaN }
    val filled = value.doubles()
    for (i in filled.indices) if (filled[i].isNaN()) filled[i] = values[i % values.size]
    return Tensor.of(value.shape, filled)
}

/** (x - mean) / scale along the last axis, in the value's own precision. */
internal fun standardise(value: Tensor, options: Fields): Tensor {
    val own = { several: DoubleArray -> Tensor.of(value.dtype, listOf(several.size), several).doubles() }
    val (means, scales) = own(options.numbers("mean")) to own(options.numbers("scale"))
    val x = value.doubles()
    val shifted = own(DoubleArray(x.size) { x[it] - means[it % means.size] })
    return Tensor.of(value.dtype, value.shape, DoubleArray(x.size) { shifted[it] / scales[it % scales.size] })
}

/**
 * A column of a category's index becomes as many columns as it has; no index: all zeros.
 *
 * The nearest index counts: a step before may have rounded otherwise, and still means this one.
 */
internal fun oneHot(value: Tensor, options: Fields): Tensor {
    val sizes = options.list("sizes").map { (it as? Json.Number)?.value?.toInt() ?: 0 }
    val (rows, along) = value.shape.also { require(it.size == 2) { "rows of columns have two axes, not $it" } }
    val given = value.doubles()
    val width = sizes.sumOf { maxOf(it, 1) }
    val out = DoubleArray(rows * width)
    for (row in 0 until rows) {
        var at = row * width
        sizes.forEachIndexed { column, size ->
            val x = given[row * along + column]
            if (size == 0) out[at] = x
            else if (evenly(x) in 0.0..size - 1.0) out[at + evenly(x).toInt()] = 1.0
            at += maxOf(size, 1)
        }
    }
    return Tensor.of(value.dtype, listOf(rows, width), out)
}

/** The tensor's own dtype. Throws Refused where a value does not fit a whole number. */
internal fun castRows(value: Tensor, options: Fields): Tensor {
    val dtype = DType.named(options.text("dtype"))
    if (!dtype.isFloat && dtype != DType.BOOL && dtype != value.dtype) {
        val given = value.doubles()
        val wrong = given.indices.find { !fits(given[it], dtype) }
        if (wrong != null) {
            val row = wrong / maxOf(1, given.size / maxOf(1, value.shape.firstOrNull() ?: 1)) + 1
            throw Refused("row $row holds ${given[wrong]}, expected ${dtype.label}")
        }
    }
    return value.cast(dtype)
}

private fun fits(x: Double, dtype: DType): Boolean {
    val signed = !dtype.label.startsWith("u")
    val most = Math.scalb(1.0, 8 * dtype.size - if (signed) 1 else 0)
    return x == Math.rint(x) && x >= (if (signed) -most else 0.0) && x < most
}
