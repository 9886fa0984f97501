package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Spec
import dev.deploytarget.core.Tensor

/*
 * What stands around a model: from raw bytes to a tensor, and from tensors to words.
 *
 * Every operation gives what its namesake in Python gives, and is held to it by shared questions.
 * To add one: a function in the file of its medium, and a line in `Runner`.
 */

/** One operation; [of] is the output that it is about, empty before the model. */
class Step(val op: String, val of: String, val options: Fields)

/** How raw bytes of these content types become one input. */
class RawInput(val media: List<String>, val host: List<Step>)

/** What a later step must know of an earlier one: a photo's size, upright, and a recording's rate. */
class Frame(var size: List<Int>? = null, var toModel: DoubleArray? = null, var rate: Int? = null) {
    /** [height, width]. Throws IllegalArgumentException where no photo was decoded. */
    internal fun photo(): List<Int> = requireNotNull(size) { "no photo was decoded before this step" }

    /** [sx, sy, ox, oy]: a place in the photo is at x * sx + ox, y * sy + oy in the tensor. */
    internal fun placed(): DoubleArray = requireNotNull(toModel) { "no photo was decoded before this step" }

    internal fun moved(right: Int, down: Int) {
        toModel = placed().copyOf().also {
            it[2] += right
            it[3] += down
        }
    }
}

/** A user's own step: the tensor that they make of another, which they may not write to. */
fun interface OwnStep {
    fun run(value: Tensor): Tensor
}

/** All declared steps of a bundle. [single]: one request is one item. */
class Steps(val inputs: Map<String, RawInput>, val host: List<Step>, val gives: List<Spec>, val single: Boolean) {
    companion object {
        /** The name of the file. */
        const val FILE = "steps.json"

        /** Reads the file. Throws BundleDamaged. */
        fun read(bytes: ByteArray): Steps = Fields.inFile(FILE, bytes) { said ->
            val inputs = said.named("inputs")
            val graphs = said.has("graph") || inputs.values.any { it.has("graph") }
            require(!graphs) { "it leaves steps to a graph, which does not exist here" }
            Steps(
                inputs.mapValues { (_, input) -> RawInput(input.texts("media"), input.several("host").map(::step)) },
                said.several("host").map(::step),
                said.several("gives").map(Manifest::spec),
                said.flag("single"),
            )
        }

        internal fun step(said: Fields) = Step(said.text("op"), said.textOrNull("of") ?: "", said.fields("options"))
    }
}

/** What says how an answer is put in words, and changes no tensor. */
private val WORDS = setOf("label", "palette")

/** Runs steps. [decoder] decodes photos; [own] are the user's own steps by name. */
class Runner(private val decoder: ImageDecoder?, private val own: Map<String, OwnStep> = emptyMap()) {
    /** The tensor that raw bytes become. Throws Refused. */
    fun before(steps: List<Step>, bytes: ByteArray, frame: Frame): Tensor {
        val first = requireNotNull(steps.firstOrNull()) { "no step makes a tensor of these bytes" }
        val value = when (first.op) {
            "decode_image" -> decodeImage(bytes, frame, first.options, decoder)
            "decode_audio" -> decodeAudio(bytes, frame, first.options)
            "decode_table" -> decodeTable(bytes, first.options)
            else -> throw IllegalArgumentException("${first.op} makes no tensor of bytes")
        }
        return before(steps.drop(1), value, frame)
    }

    /** The tensor that a photo becomes which was decoded elsewhere, such as a camera's. Throws Refused. */
    fun before(steps: List<Step>, photo: Photo, frame: Frame): Tensor {
        val first = steps.firstOrNull()
        require(first?.op == "decode_image") { "this input takes no photo: its first step is ${first?.op}" }
        return before(steps.drop(1), upright(photo, 1, frame, first.options), frame)
    }

    /** The same from where an earlier step left off. */
    fun before(steps: List<Step>, value: Tensor, frame: Frame): Tensor =
        steps.fold(value) { made, step -> one(step.op, made, frame, step.options) }

    private fun one(op: String, value: Tensor, frame: Frame, options: Fields): Tensor = when (op) {
        "resize" -> resize(value, frame, options)
        "crop" -> crop(value, frame, options)
        "pad" -> pad(value, frame, options)
        "channels" -> channels(value, options)
        "scale" -> scale(value, options)
        "layout" -> layout(value, options)
        "resample" -> resample(value, frame, options)
        "length" -> length(value, options)
        "frames" -> frames(value, options)
        "normalise" -> normalise(value, options)
        "arrange" -> arrange(value, options)
        "log_mel" -> logMel(value, options)
        "impute" -> impute(value, options)
        "standardise" -> standardise(value, options)
        "one_hot" -> oneHot(value, options)
        "cast" -> castRows(value, options)
        "own" -> ownStep(value, options, own)
        else -> throw IllegalArgumentException("no step before a model is named \"$op\"")
    }

    /** Runs the steps of all outputs; each takes tensors by name and puts others in their place. */
    fun after(steps: List<Step>, given: Map<String, Tensor>, frame: Frame): Map<String, Tensor> {
        val tensors = LinkedHashMap(given)
        for (step in steps) if (step.op !in WORDS) one(step, tensors, frame)
        return tensors
    }

    private fun one(step: Step, tensors: MutableMap<String, Tensor>, frame: Frame) {
        val (of, options) = step.of to step.options
        when (step.op) {
            "softmax" -> softmax(tensors, of, options)
            "sigmoid" -> sigmoid(tensors, of)
            "top_k" -> topK(tensors, of, options)
            "threshold" -> threshold(tensors, of, options)
            "detections" -> detections(tensors, of, options)
            "unframe" -> unframe(tensors, of, frame)
            "argmax" -> argmax(tensors, of, options)
            "above" -> above(tensors, of, options)
            "resize_mask" -> resizeMask(tensors, of, frame, options)
            "ctc" -> ctc(tensors, of, options)
            else -> throw IllegalArgumentException("no step behind a model is named \"${step.op}\"")
        }
    }
}

/** The tensor of that name. Throws IllegalArgumentException. */
internal fun named(tensors: Map<String, Tensor>, of: String): Tensor =
    requireNotNull(tensors[of]) { "no tensor is named \"$of\"; there is ${tensors.keys.joinToString()}" }
