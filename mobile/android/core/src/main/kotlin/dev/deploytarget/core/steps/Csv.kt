package dev.deploytarget.core.steps

/*
 * CSV, read as strictly as Python's csv module with `strict`: text -> rows of text.
 *
 * A quote counts at the beginning of a value alone; two of them inside are one. Rows end with CR, LF
 * or both. Blank lines are no rows.
 */

/** What a value may have: Python's limit. */
private const val LONGEST = 131_072

/** What is wrong with a text. */
internal class NoCsv(message: String) : Exception(message)

/** Reads rows of a text whose values lie between [between]. */
internal class Csv(private val text: String, private val between: Char) {
    private var at = 0

    fun rows(): List<List<String>> {
        val rows = ArrayList<List<String>>()
        while (at < text.length) {
            if (ends(at)) at += 1 else rows.add(row())
        }
        return rows
    }

    private fun row(): List<String> {
        val row = ArrayList<String>()
        while (true) {
            val value = if (at < text.length && text[at] == '"') quoted() else bare()
            if (value.length > LONGEST) throw NoCsv("a value is longer than $LONGEST characters")
            row.add(value)
            val more = at < text.length && text[at] == between
            // A delimiter before the end of the line or of the text stands before an empty value.
            at += 1
            if (!more) return row
        }
    }

    private fun ends(at: Int) = text[at] == '\n' || text[at] == '\r'

    private fun bare(): String {
        val from = at
        while (at < text.length && text[at] != between && !ends(at)) at += 1
        return text.substring(from, at)
    }

    private fun quoted(): String {
        val value = StringBuilder()
        var from = at + 1
        while (true) {
            val close = text.indexOf('"', from)
            if (close < 0) throw NoCsv("a quote does not end")
            value.append(text, from, close)
            at = close + 1
            val next = text.getOrNull(at)
            if (next == null || next == between || ends(at)) return value.toString()
            if (next != '"') throw NoCsv("after a quote that ends there is \"$next\", expected \"$between\"")
            value.append('"')
            from = close + 2
        }
    }
}
