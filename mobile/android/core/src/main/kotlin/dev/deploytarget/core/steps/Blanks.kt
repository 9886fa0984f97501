package dev.deploytarget.core.steps

/*
 * Blanks as Python knows them: a byte order mark is none, and the separators of ASCII are.
 */

private const val BLANKS = "\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000"

/** Without blanks at both ends. */
internal fun stripped(text: String): String = text.trim { letter ->
    letter in '\t'..'\r' || letter in '\u001c'..' ' || letter in '\u2000'..'\u200a' || letter in BLANKS
}
