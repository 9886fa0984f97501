package dev.deploytarget.core

/** Objects in lists in objects: beyond, the text means to exhaust the stack. */
private const val DEEPEST = 400
private val NUMBER = Regex("-?(?:0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
private const val ESCAPED = "\"\\/bfnrt"
private const val MEANT = "\"\\/\b\u000c\n\r\t"

/** Walks once through a text of JSON. */
internal class JsonReader(private val text: String) {
    /** The next character. */
    var at = 0
        private set

    fun wrong(what: String) = Json.Wrong("$what (character ${at + 1})")

    fun blank() {
        while (at < text.length && text[at] in " \n\r\t") at += 1
    }

    fun value(depth: Int): Any? {
        if (depth > DEEPEST) throw wrong("it is nested too deeply")
        return when {
            skip('[') -> list(depth)
            skip('{') -> map(depth)
            at < text.length && text[at] == '"' -> string()
            at < text.length && (text[at] == '-' || text[at] in '0'..'9') -> number()
            else -> word()
        }
    }

    private fun skip(sign: Char): Boolean {
        blank()
        val there = at < text.length && text[at] == sign
        if (there) at += 1
        return there
    }

    private fun list(depth: Int): List<Any?> {
        val values = ArrayList<Any?>()
        if (skip(']')) return values
        do values.add(value(depth + 1)) while (skip(','))
        if (!skip(']')) throw wrong("expected \",\" or \"]\"")
        return values
    }

    private fun map(depth: Int): Map<String, Any?> {
        val found = LinkedHashMap<String, Any?>()
        if (skip('}')) return found
        do {
            blank()
            val name = string()
            if (!skip(':')) throw wrong("expected \":\"")
            val value = value(depth + 1)
            if (name in found) throw wrong("an object names '$name' twice")
            found[name] = value
        } while (skip(','))
        if (!skip('}')) throw wrong("expected \",\" or \"}\"")
        return found
    }

    private fun string(): String {
        if (at >= text.length || text[at] != '"') throw wrong("expected a name in quotes")
        val found = StringBuilder()
        at += 1
        while (at < text.length && text[at] != '"') {
            val letter = text[at]
            if (letter < ' ') throw wrong("a text in quotes holds a control character")
            at += 1
            found.append(if (letter == '\\') escaped() else letter)
        }
        if (at >= text.length) throw wrong("a text in quotes does not end")
        at += 1
        return found.toString()
    }

    private fun escaped(): Char {
        val sign = text.getOrElse(at) { ' ' }
        at += 1
        if (sign in ESCAPED) return MEANT[ESCAPED.indexOf(sign)]
        val digits = text.substring(minOf(at, text.length), minOf(at + 4, text.length))
        if (sign != 'u' || digits.length < 4 || !digits.all { it in "0123456789abcdefABCDEF" }) {
            throw wrong("a text in quotes is not written as JSON wants it")
        }
        at += 4
        return digits.toInt(16).toChar()
    }

    private fun number(): Any? {
        // The region, and not a copy of the rest: a table has many numbers.
        val found = NUMBER.find(text, at)?.takeIf { it.range.first == at } ?: return word()
        at += found.value.length
        val whole = found.groupValues[1].isEmpty() && found.groupValues[2].isEmpty()
        return Json.Number(found.value, whole)
    }

    private fun word(): Boolean? {
        var end = at
        while (end < text.length && (text[end] == '-' && end == at || text[end] in 'a'..'z' || text[end] in 'A'..'Z')) end += 1
        val word = text.substring(at, end)
        val wrong = when (word) {
            "null", "true", "false" -> null
            "NaN", "Infinity", "-Infinity" -> "$word is no JSON; send null for what is missing"
            else -> "expected a value"
        }
        if (wrong != null) throw wrong(wrong)
        at = end
        return if (word == "null") null else word == "true"
    }
}
