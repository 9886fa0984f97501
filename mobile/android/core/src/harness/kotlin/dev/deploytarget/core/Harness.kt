package dev.deploytarget.core

import dev.deploytarget.core.steps.Steps
import dev.deploytarget.core.steps.say
import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.EOFException
import java.io.File
import java.io.InputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/*
 * Asks a bundle raw questions on a desktop's JVM, by the very code that runs on Android.
 *
 * `HarnessKt BUNDLE` talks over stdin and stdout. Each message is eight bytes of length, little
 * endian, and then a safetensors file, whose metadata says what it is:
 *
 *   in:  {"ask": "predict"}   raw inputs: uint8 [bytes] of those that have steps, else their tensors
 *   in:  {"ask": "run"}       the model's own tensors
 *   out: {"run": ENTRY}       tensors that the artifact is asked; the next message is its answer:
 *   in:  {"gave": ENTRY}      its outputs, or without any {"error": WHY}
 *   out: {"words": JSON}      the answer: tensors, and of "predict" what they are in words
 *   out: {"refused": STATUS, "message": WHY} or {"error": WHY}
 *   out: {"lacks": WHY}       a photo that a phone decodes, and javax.imageio does not
 *
 * It ends where stdin ends.
 */

/** The artifact did not answer. */
private class Silent(message: String) : RuntimeException(message)

private class Message(val tensors: Map<String, Tensor>, val said: Map<String, String>)

/** Messages between this process and the one that started it. */
private class Pipe(input: InputStream, private val output: OutputStream) {
    private val input = DataInputStream(input)

    /** The next message; null where there are no more. */
    fun receive(): Message? {
        val size = ByteArray(8)
        try {
            input.readFully(size)
        } catch (ended: EOFException) {
            return null
        }
        val long = ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).getLong(0)
        val file = Safetensors.read(ByteBuffer.wrap(ByteArray(long.toInt()).also(input::readFully)))
        return Message(file.tensors, file.metadata)
    }

    fun send(said: Map<String, String>, tensors: Map<String, Tensor> = emptyMap()) {
        val file = ByteArrayOutputStream().also { Safetensors(tensors, said).write(it) }.toByteArray()
        val size = ByteArray(8)
        ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).putLong(file.size.toLong())
        output.write(size)
        output.write(file)
        output.flush()
    }
}

/** The artifact at the other end. */
private class Asking(private val pipe: Pipe) : Interpreter {
    override fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor> {
        pipe.send(mapOf("run" to entry), inputs)
        val answer = pipe.receive() ?: throw Silent("nobody answers for the artifact")
        answer.said["error"]?.let { throw Silent(it) }
        return answer.tensors
    }
}

fun main(arguments: Array<String>) {
    val folder = File(arguments.single())
    val pipe = Pipe(System.`in`.buffered(), System.out.buffered())
    // What a library prints would garble the messages.
    System.setOut(System.err)
    val steps = File(folder, Steps.FILE).takeIf { it.exists() }?.readBytes()
    val model = Model.open(File(folder, Manifest.FILE).readBytes(), steps, Asking(pipe), DesktopDecoder)
    while (true) {
        val question = pipe.receive() ?: return
        try {
            answer(model, question, pipe)
        } catch (refused: Refused) {
            pipe.send(mapOf("refused" to refused.status.toString(), "message" to refused.message.orEmpty()))
        } catch (lacking: NotDecodedHere) {
            pipe.send(mapOf("lacks" to lacking.message.orEmpty()))
        } catch (error: RuntimeException) {
            pipe.send(mapOf("error" to (error.message ?: error.toString())))
        }
    }
}

private fun answer(model: Model, question: Message, pipe: Pipe) {
    if (question.said["ask"] == "run") return pipe.send(mapOf("words" to "{}"), model.run(question.tensors))
    val steps = requireNotNull(model.steps) { "this bundle has no ${Steps.FILE}" }
    val tensors = model.predictTensors(model.raws(question.tensors))
    pipe.send(mapOf("words" to Json.write(say(steps.host, tensors, steps.single))), tensors)
}
