package dev.deploytarget.core

import java.security.MessageDigest

/*
 * deploy-target.json: what is known of a bundle without running it.
 *
 * In: its bytes. Out: the entries that can be called, what they stand for in the model's own terms,
 * and how far each answer may be from the original's. docs/bundle.md describes the file.
 */

/** The form of the manifest that this code reads. */
const val SCHEMA = 3

/** The line of the verdict that asks the model's own tensors. */
const val TENSORS = "tensors"

/** The line that asks raw bytes, with the declared steps around the model. */
const val BYTES = "bytes"

/** One size of a shape. */
sealed class Dim {
    /** Always the same. */
    data class Fixed(val size: Int) : Dim() {
        override fun toString() = size.toString()
    }

    /** An axis ("batch"), or a product of some ("batch*time"). */
    data class Named(val name: String) : Dim() {
        override fun toString() = name
    }
}

/** A tensor's name, dtype and shape; [kind] is what an output means, as declared. */
data class Spec(val name: String, val dtype: DType, val shape: List<Dim>, val kind: String = "plain")

/** An axis and the sizes, both included, that the model takes along it. */
data class Axis(val name: String, val minimum: Int, val maximum: Int)

/** What goes in and comes out; along [batch], a question may be split into several calls. */
data class Signature(val inputs: List<Spec>, val outputs: List<Spec>, val axes: List<Axis>, val batch: String?)

/** A tensor of the artifact, and the model's that it stands for: artifact = model.transpose([axes]). */
data class Port(val spec: Spec, val of: String, val axes: List<Int>? = null)

/** One thing that can be called: a signature of the file. [golden] is the line that asks it. */
data class Entry(val name: String, val inputs: List<Port>, val outputs: List<Port>, val golden: String = TENSORS)

/** One way to run the bundle, and the unit of verdict. */
data class Lane(val name: String, val recipe: String, val required: Boolean)

/** How far one output may be from the original's; docs/parity.md says what each number means. */
data class Bound(
    val relativeL2: Double, val whole: Double, val part: Double, val element: Double,
    val budget: Double = 0.0, val jumps: Double = 0.0, val jump: Double = 0.0,
) {
    companion object {
        /** Of an output of which the manifest grants nothing. */
        val NOTHING = Bound(0.0, 0.0, 0.0, 0.0)
    }
}

/** One file of a bundle; the size in bytes. */
data class FileRecord(val role: String, val size: Long, val sha256: String)

/** The manifest. [digest] is the SHA-256 of its bytes, and so stands for all that it seals. */
class Manifest(
    val name: String,
    val target: String,
    val digest: String,
    val signatures: Map<String, Signature>,
    val entries: List<Entry>,
    val lanes: List<Lane>,
    /** Recipe -> line of the verdict -> output -> bound. */
    val bounds: Map<String, Map<String, Map<String, Bound>>>,
    val files: Map<String, FileRecord>,
    val options: Map<String, Any?>,
) {
    /** The model's own. */
    val signature: Signature get() = signatures.getValue(TENSORS)

    /** The entries that one line of the verdict asks. */
    fun entries(golden: String): List<Entry> = entries.filter { it.golden == golden }

    /** The entry of that name. Throws IllegalArgumentException. */
    fun entry(name: String): Entry = requireNotNull(entries.find { it.name == name }) {
        "no entry is named \"$name\"; this bundle has ${entries.joinToString { "\"${it.name}\"" }}"
    }

    companion object {
        /** The name of the file. */
        const val FILE = "deploy-target.json"

        /** Reads the file. Throws BundleDamaged. */
        fun read(bytes: ByteArray): Manifest = Fields.inFile(FILE, bytes) { read(it, digestOf(bytes)) }

        private fun read(said: Fields, digest: String): Manifest {
            require(said.int("schema") == SCHEMA) { "its schema is ${said.int("schema")}, and this code reads $SCHEMA" }
            return Manifest(
                said.text("name"),
                said.text("target"),
                digest,
                said.named("signatures").mapValues { signature(it.value) },
                said.several("entries").map(::entry),
                said.several("lanes").map { Lane(it.text("name"), it.text("recipe"), it.flag("required")) },
                said.named("bounds").mapValues { (_, recipe) -> bounds(recipe) },
                said.named("files").mapValues { (_, file) ->
                    FileRecord(file.text("role"), file.long("size"), file.text("sha256"))
                },
                said.fields("options").map,
            )
        }

        private fun bounds(recipe: Fields) =
            recipe.map.keys.associateWith { line -> recipe.named(line).mapValues { bound(it.value) } }

        private fun bound(said: Fields) = Bound(
            said.number("relative_l2"), said.number("whole"), said.number("part"), said.number("element"),
            said.number("budget"), said.number("jumps"), said.number("jump"),
        )

        private fun signature(said: Fields) = Signature(
            said.several("inputs").map(::spec),
            said.several("outputs").map(::spec),
            said.several("axes").map { Axis(it.text("name"), it.int("minimum"), it.int("maximum")) },
            said.textOrNull("batch"),
        )

        private fun entry(said: Fields) = Entry(
            said.text("name"), said.several("inputs").map(::port), said.several("outputs").map(::port), said.text("golden"),
        )

        private fun port(said: Fields) = Port(spec(said.fields("spec")), said.text("of"), said.intsOrNull("axes"))

        internal fun spec(said: Fields) = Spec(
            said.text("name"),
            DType.named(said.text("dtype")),
            said.list("shape").map { if (it is Json.Number) Dim.Fixed(it.value.toInt()) else Dim.Named(it as String) },
            said.textOrNull("kind") ?: "plain",
        )

        private fun digestOf(bytes: ByteArray) = hexOf(MessageDigest.getInstance("SHA-256").apply { update(bytes) })
    }
}
