package dev.deploytarget.core

import java.io.File

/*
 * `JudgingKt QUESTIONS ANSWERS` judges tensors: a safetensors file with CASE/want, CASE/got and, where
 * there is any, CASE/noise, whose metadata's `cases` has {CASE: {bound, batch, kind}}. Out: JSON, {CASE:
 * {reason, relative_l2}}.
 */

fun main(arguments: Array<String>) {
    val (from, to) = arguments.map(::File)
    val file = from.inputStream().use { Safetensors.read(it) }
    @Suppress("UNCHECKED_CAST")
    val cases = Fields(Json.read(file.metadata.getValue("cases")) as Map<String, Any?>)
    val said = cases.map.keys.associateWith { name ->
        val case = cases.fields(name)
        val meaning = Meaning(case.intOrNull("batch"), case.text("kind"))
        val (want, got) = file.tensors.getValue("$name/want") to file.tensors["$name/got"]
        val found = compared(want, got, file.tensors["$name/noise"], bound(case.fields("bound")), meaning)
        mapOf("reason" to found.reason, "relative_l2" to found.relativeL2.toString())
    }
    to.writeText(Json.write(said))
}

private fun bound(said: Fields) = Bound(
    said.number("relative_l2"), said.number("whole"), said.number("part"), said.number("element"),
    said.number("budget"), said.number("jumps"), said.number("jump"),
)
