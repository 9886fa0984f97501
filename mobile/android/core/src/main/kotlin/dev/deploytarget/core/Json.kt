package dev.deploytarget.core

/*
 * JSON, read strictly and as it is written: numbers keep their digits, and no object names anything
 * twice.
 *
 * In: a text. Out: maps, lists, texts, booleans, null and `Json.Number`; and the other way round.
 */

/** Reads and writes JSON. */
object Json {
    /** What is wrong with a text, and at which character. */
    class Wrong(message: String) : Exception(message)

    /** A number as it is written; [whole] where that is without a fraction and an exponent. */
    class Number(val text: String, val whole: Boolean) {
        /** The nearest float64. */
        val value: Double get() = text.toDouble()

        /** As Python writes it: "5" and "5.0" are two, "1e3" is "1000.0". */
        override fun toString(): String = when {
            !whole -> pythonic(value)
            text == "-0" -> "0"
            else -> text
        }
    }

    /** The value of a text: Map, List, String, Boolean, null or Number. Throws Wrong. */
    fun read(text: String): Any? {
        val reader = JsonReader(text)
        val value = reader.value(0)
        reader.blank()
        if (reader.at < text.length) throw reader.wrong("there is more after the end")
        return value
    }

    /** The text of maps, lists, texts, booleans, null and finite numbers. */
    fun write(value: Any?): String = StringBuilder().also { put(value, it) }.toString()

    private fun put(value: Any?, to: StringBuilder) {
        when (value) {
            null, is Boolean -> to.append(value.toString())
            is Number -> to.append(value.text)
            is Double -> to.append(finite(value))
            is Float -> to.append(finite(value.toDouble()))
            is kotlin.Number -> to.append(value.toString())
            is CharSequence -> quoted(value, to)
            is Map<*, *> -> several(value.entries, '{', '}', to) { (name, one) ->
                quoted(name as String, to)
                to.append(':')
                put(one, to)
            }
            is Iterable<*> -> several(value, '[', ']', to) { put(it, to) }
            else -> throw IllegalArgumentException("a ${value.javaClass.simpleName} cannot be written as JSON")
        }
    }

    private fun finite(value: Double): String {
        require(value.isFinite()) { "$value cannot be written as JSON" }
        return value.toString()
    }

    private inline fun <T> several(all: Iterable<T>, from: Char, end: Char, to: StringBuilder, one: (T) -> Unit) {
        to.append(from)
        all.forEachIndexed { index, each ->
            if (index > 0) to.append(',')
            one(each)
        }
        to.append(end)
    }

    private fun quoted(text: CharSequence, to: StringBuilder) {
        to.append('"')
        for (letter in text) {
            when {
                letter == '"' || letter == '\\' -> to.append('\\').append(letter)
                letter < ' ' -> to.append("\\u").append(letter.code.toString(16).padStart(4, '0'))
                else -> to.append(letter)
            }
        }
        to.append('"')
    }
}
