package dev.deploytarget.core

import dev.deploytarget.core.steps.Frame
import dev.deploytarget.core.steps.ImageDecoder
import dev.deploytarget.core.steps.OwnStep
import dev.deploytarget.core.steps.Photo
import dev.deploytarget.core.steps.Runner
import dev.deploytarget.core.steps.Steps
import dev.deploytarget.core.steps.say

/*
 * One model: tensors in, tensors out; or raw bytes in, and the answer in words.
 *
 * In: what the bundle says of itself, and an Interpreter that runs its artifact. The steps before
 * and behind the model run here; the artifact's names, layouts and batches are nobody else's matter.
 */

/** One raw input. */
sealed class Raw {
    /** A file: a photo, a recording, a table. */
    class Bytes(val bytes: ByteArray) : Raw()

    /** A photo that is decoded already, such as a camera's, upright. */
    class Image(val photo: Photo) : Raw()

    /** A tensor, of an input that has no steps. */
    class Of(val tensor: Tensor) : Raw()
}

/** A model of a bundle. [decoder] decodes photos, [own] are the user's own steps by name. */
class Model(
    val manifest: Manifest,
    val steps: Steps?,
    private val interpreter: Interpreter,
    decoder: ImageDecoder? = null,
    own: Map<String, OwnStep> = emptyMap(),
) {
    private val binding = Binding(manifest.signature, manifest.entries(TENSORS))
    private val runner = Runner(decoder, own)

    /** The answer to tensors in the model's own names, layout and dtypes. */
    fun run(inputs: Map<String, Tensor>): Map<String, Tensor> {
        val calls = binding.calls(inputs)
        return binding.answer(calls, calls.map { interpreter.run(it.entry.name, it.feeds) })
    }

    /** The answer in words, by output: what Json.write writes. Throws Refused for raw input that cannot be taken. */
    fun predict(raw: Map<String, Raw>): Map<String, Any> =
        predicted(raw) { steps, tensors -> say(steps.host, tensors, steps.single) }

    /** The same of the only input's file. */
    fun predict(bytes: ByteArray): Map<String, Any> = predict(only(Raw.Bytes(bytes)))

    /** The same of the only input's photo. */
    fun predict(photo: Photo): Map<String, Any> = predict(only(Raw.Image(photo)))

    /** What golden.safetensors holds of a raw question: bytes of inputs that have steps, else their tensors. */
    fun raws(inputs: Map<String, Tensor>): Map<String, Raw> = inputs.mapValues { (name, tensor) ->
        if (name in steps?.inputs.orEmpty()) Raw.Bytes(tensor.bytes()) else Raw.Of(tensor)
    }

    /** The answer to raw inputs as tensors. Throws Refused. */
    fun predictTensors(raw: Map<String, Raw>): Map<String, Tensor> = predicted(raw) { _, tensors -> tensors }

    private fun <T> predicted(raw: Map<String, Raw>, say: (Steps, Map<String, Tensor>) -> T): T {
        val steps = requireNotNull(steps) { "no steps are declared around this model; give run() its tensors" }
        val frames = LinkedHashMap<String, Frame>()
        val inputs = raw.mapValues { (name, one) -> before(steps, name, one, frames.getOrPut(name) { Frame() }) }
        return say(steps, after(steps, run(inputs), frames.filterKeys { it in steps.inputs }))
    }

    private fun before(steps: Steps, name: String, raw: Raw, frame: Frame): Tensor {
        if (raw is Raw.Of) return raw.tensor
        val host = requireNotNull(steps.inputs[name]) { "no step makes \"$name\" of bytes; expected ${steps.inputs.keys}" }.host
        return try {
            when (raw) {
                is Raw.Bytes -> runner.before(host, raw.bytes, frame)
                is Raw.Image -> runner.before(host, raw.photo, frame)
                is Raw.Of -> raw.tensor
            }
        } catch (refused: Refused) {
            throw Refused("input \"$name\": ${refused.message}", refused.status)
        }
    }

    private fun after(steps: Steps, outputs: Map<String, Tensor>, frames: Map<String, Frame>): Map<String, Tensor> {
        var tensors = outputs
        for (step in steps.host) {
            val frame = frames[step.options.map["input"]] ?: frames.values.firstOrNull() ?: Frame()
            tensors = runner.after(listOf(step), tensors, frame)
        }
        return steps.gives.associate { it.name to requireNotNull(tensors[it.name]) { "the steps gave no \"${it.name}\"" } }
    }

    private fun only(raw: Raw): Map<String, Raw> {
        val input = manifest.signature.inputs.singleOrNull()
        return mapOf(requireNotNull(input) { "this model has several inputs; give them by name" }.name to raw)
    }

    companion object {
        /** A model by the files of its bundle: deploy-target.json, and steps.json where there is one. */
        fun open(
            manifest: ByteArray,
            steps: ByteArray?,
            interpreter: Interpreter,
            decoder: ImageDecoder? = null,
            own: Map<String, OwnStep> = emptyMap(),
        ) = Model(Manifest.read(manifest), steps?.let { Steps.read(it) }, interpreter, decoder, own)
    }
}
