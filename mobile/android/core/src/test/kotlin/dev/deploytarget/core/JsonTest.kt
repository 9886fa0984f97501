package dev.deploytarget.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class JsonTest {
    @Test
    fun `what is read is written again`() {
        val text = """{"a":[1,2.50,-3e2,true,false,null],"b \" \\ ü 🐻":{"c":""}}"""
        assertEquals(text, Json.write(Json.read(text)))
    }

    @Test
    fun `numbers keep what they look like`() {
        val said = (Json.read("[5, 5.0, 1e3, -0, -0.0, 1e16, 1e-5, 12345678901234567890, 0.1, 1e400]") as List<*>).map { it.toString() }
        assertEquals(listOf("5", "5.0", "1000.0", "0", "-0.0", "1e+16", "1e-05", "12345678901234567890", "0.1", "inf"), said)
    }

    @Test
    fun `escapes are understood`() {
        assertEquals("\n\t\b\u000c\r/\"\\A🐻", Json.read("\"\\n\\t\\b\\f\\r\\/\\\"\\\\\\u0041\\ud83d\\udc3b\""))
    }

    @Test
    fun `what is not JSON is refused with its place`() {
        for (text in listOf("", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", "nul", "'a'", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "[1] 2", "NaN", "-Infinity", "{\"a\" 1}", "[1 2]", "-")) {
            val error = assertThrows(text, Json.Wrong::class.java) { Json.read(text) }
            assertTrue(error.message, "(character " in error.message.orEmpty())
        }
    }

    @Test
    fun `an object that names a key twice is refused`() {
        assertEquals("an object names 'a' twice (character 13)", assertThrows(Json.Wrong::class.java) { Json.read("{\"a\":1,\"a\":2}") }.message)
    }

    @Test
    fun `a text that means to exhaust the stack is refused`() {
        assertThrows(Json.Wrong::class.java) { Json.read("[".repeat(100_000)) }
    }

    @Test
    fun `no number is written that JSON does not have`() {
        assertThrows(IllegalArgumentException::class.java) { Json.write(listOf(Double.NaN)) }
    }

    @Test
    fun `a field of another kind is named with what was expected`() {
        val fields = Fields(mapOf("k" to "five", "half" to Json.Number("2.5", false)))
        assertEquals("\"k\" is five, expected a number", assertThrows(IllegalArgumentException::class.java) { fields.int("k") }.message)
        assertEquals("\"half\" is 2.5, expected a whole number", assertThrows(IllegalArgumentException::class.java) { fields.int("half") }.message)
        assertEquals("\"no\" is null, expected a text", assertThrows(IllegalArgumentException::class.java) { fields.text("no") }.message)
    }
}
