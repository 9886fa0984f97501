package dev.deploytarget.core

import dev.deploytarget.core.steps.Frame
import dev.deploytarget.core.steps.Runner
import dev.deploytarget.core.steps.Step
import dev.deploytarget.core.steps.Steps
import dev.deploytarget.core.steps.picture
import dev.deploytarget.core.steps.say
import java.io.File

/*
 * The steps' answers to files of test vectors. Whether they are right is not decided here.
 *
 * `VectorsKt FOLDER ANSWERS NAME...` answers FOLDER/NAME.safetensors into ANSWERS, each: CASE/NAME for
 * each output, and in its metadata's `answers` what else there is of each case: {frame}, {refused:
 * {status, message}}, {left: why} where this machine has no decoder for it, or {failed: why}.
 */

/** What one case asks. */
private class Asked(said: Fields) {
    val side = said.text("side")
    val steps: List<Step> = said.several("steps").map(Steps::step)
    val single = said.flag("single")
    val frame = said.fields("frame").let { given ->
        Frame(given.intsOrNull("size"), if (given.has("to_model")) given.numbers("to_model") else null, given.intOrNull("rate"))
    }
}

fun main(arguments: Array<String>) {
    val (folder, into) = arguments
    for (name in arguments.drop(2)) {
        val file = File(folder, "$name.safetensors").inputStream().use { Safetensors.read(it) }
        File(into, "$name.safetensors").outputStream().use { answers(file).write(it) }
    }
}

/** The answers to one file of vectors. */
private fun answers(file: Safetensors): Safetensors {
    @Suppress("UNCHECKED_CAST")
    val cases = Json.read(file.metadata.getValue("vectors")) as Map<String, Map<String, Any?>>
    val made = LinkedHashMap<String, Tensor>()
    val said = LinkedHashMap<String, Any>()
    for ((name, one) in cases) {
        val given = file.tensors.filterKeys { it.startsWith("$name/in/") }.mapKeys { it.key.removePrefix("$name/in/") }
        said[name] = try {
            val asked = Asked(Fields(one))
            for ((of, tensor) in answer(asked, given)) made["$name/$of"] = tensor
            mapOf("frame" to told(asked.frame))
        } catch (error: Refused) {
            mapOf("refused" to mapOf("status" to error.status, "message" to error.message))
        } catch (error: NotDecodedHere) {
            mapOf("left" to error.message)
        } catch (error: RuntimeException) {
            mapOf("failed" to error.stackTraceToString())
        }
    }
    return Safetensors(made, mapOf("answers" to Json.write(said)))
}

private fun answer(asked: Asked, given: Map<String, Tensor>): Map<String, Tensor> {
    val runner = Runner(DesktopDecoder)
    if (asked.side == "before") {
        val bytes = given["bytes"]?.bytes()
        val value = if (bytes != null) runner.before(asked.steps, bytes, asked.frame) else runner.before(asked.steps, given.getValue("value"), asked.frame)
        return mapOf("value" to value)
    }
    val tensors = runner.after(asked.steps, given, asked.frame)
    if (asked.side == "after") return tensors
    val words = Json.write(say(asked.steps, tensors, asked.single)).toByteArray(Charsets.UTF_8)
    val drawn = picture(asked.steps, tensors)?.let { mapOf("picture" to Tensor.of(listOf(it.size), it)) }.orEmpty()
    return drawn + ("json" to Tensor.of(listOf(words.size), words))
}

private fun told(frame: Frame): Map<String, Any> = listOfNotNull(
    frame.size?.let { "size" to it },
    frame.toModel?.let { "to_model" to it.toList() },
    frame.rate?.let { "rate" to it },
).toMap()
