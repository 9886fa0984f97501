package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Json
import dev.deploytarget.core.Refused
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.CodingErrorAction

/*
 * The rows of a table, in the order of the columns that it shall have: bytes in UTF-8 -> cells.
 *
 * A cell of CSV is text. One of JSON is what it is there; null where an object lacks it.
 */

/** In a header, where the table itself does not ask for more. */
private const val MOST_COLUMNS = 10_000
private val NAMES = mapOf("," to "commas", ";" to "semicolons", "\t" to "tabs", "|" to "bars")

/** Every row's cells by column. Throws Refused. */
internal fun rowsOf(bytes: ByteArray, options: Fields): List<List<Any?>> {
    val text = decoded(bytes)
    val first = stripped(text).first()
    val (columns, strict) = options.texts("columns") to (options.text("extra") == "refuse")
    return if (first == '[' || first == '{') jsonRows(text, columns, strict) else csvRows(text, columns, strict, options)
}

private fun decoded(bytes: ByteArray): String {
    val reader = Charsets.UTF_8.newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT)
    val text = try {
        reader.decode(ByteBuffer.wrap(bytes)).toString().removePrefix("\ufeff")
    } catch (unsound: CharacterCodingException) {
        throw Refused("this is no text in UTF-8; send CSV or JSON", 415)
    }
    if (stripped(text).isEmpty()) throw Refused("the body is empty; send CSV or JSON")
    return text
}

private fun csvRows(text: String, columns: List<String>, strict: Boolean, options: Fields): List<List<String>> {
    val delimiter = options.text("delimiter")
    val lines = try {
        Csv(text, delimiter.single()).rows()
    } catch (error: NoCsv) {
        throw Refused("the CSV cannot be read: ${error.message}")
    }
    val header = options.flag("header")
    val names = if (header) lines.firstOrNull().orEmpty().map(::stripped) else columns
    if (header && names.size == 1 && columns.size > 1) {
        val apart = NAMES[delimiter] ?: "'$delimiter'"
        throw Refused("the header names one column, ${short(names[0])}; expected columns set apart by $apart")
    }
    val at = places(names, columns, strict)
    return lines.drop(if (header) 1 else 0).mapIndexed { i, line ->
        if (line.size != names.size) throw Refused("row ${i + 1} has ${line.size} values, expected ${names.size}")
        at.map { line[it] }
    }
}

/** Where each column lies among the names of a header. */
private fun places(names: List<String>, columns: List<String>, strict: Boolean): List<Int> {
    val most = maxOf(MOST_COLUMNS, columns.size)
    if (names.size > most) throw Refused("the header names ${names.size} columns, expected $most at most", 413)
    val at = HashMap<String, Int>()
    names.forEachIndexed { i, name ->
        if (at.put(name, i) != null) throw Refused("the header names column ${short(name)} twice")
    }
    val found = columns.map { at[it] ?: throw Refused("the header has no column '$it'; it has ${listed(names)}") }
    if (strict) refuseMore("the header", names, columns)
    return found
}

private fun jsonRows(text: String, columns: List<String>, strict: Boolean): List<List<Any?>> {
    val found = try {
        Json.read(text)
    } catch (error: Json.Wrong) {
        throw Refused("the JSON cannot be read: ${error.message}")
    }
    val rows = found as? List<*> ?: listOf(found)
    return rows.mapIndexed { i, row -> jsonRow(row, "row ${i + 1}", columns, strict) }
}

private fun jsonRow(row: Any?, where: String, columns: List<String>, strict: Boolean): List<Any?> {
    if (row is Map<*, *>) {
        if (strict) refuseMore(where, row.keys.map { it as String }, columns)
        return columns.map { row[it] }
    }
    if (row !is List<*>) throw Refused("$where is no object and no list, as in [{...}, ...] or [[...], ...]")
    if (row.size != columns.size) throw Refused("$where has ${row.size} values, expected ${columns.size}")
    return row
}

private fun refuseMore(where: String, names: List<String>, columns: List<String>) {
    val asked = columns.toSet()
    val over = names.find { it !in asked } ?: return
    throw Refused("$where has a column ${short(over)}, which is not among those expected")
}

/** Names as a message lists them. */
internal fun listed(names: List<Any?>): String = names.joinToString().let { if (it.length <= 120) it else it.take(117) + "..." }

/** A cell as a message shows it. */
internal fun short(cell: Any?): String {
    val said = when (cell) {
        is String -> "'$cell'"
        is Map<*, *> -> "an object"
        is List<*> -> "a list"
        else -> cell.toString()
    }
    return if (said.length <= 40) said else said.take(37) + "..."
}
