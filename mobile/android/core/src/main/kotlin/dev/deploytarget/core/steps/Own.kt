package dev.deploytarget.core.steps

import dev.deploytarget.core.Fields
import dev.deploytarget.core.Json
import dev.deploytarget.core.Tensor

/*
 * A user's own step: what it gives is a tensor of the dtype and rank that later steps count on.
 */

/** The value as the user's own code makes it. Throws IllegalArgumentException where it is none of that kind. */
internal fun ownStep(value: Tensor, options: Fields, known: Map<String, OwnStep>): Tensor {
    val name = options.text("name")
    val step = requireNotNull(known[name]) { "own step $name: none was given by that name, only ${known.keys}" }
    val said = step.run(value)
    val wrong = complaint(value, said, options)
    require(wrong.isEmpty()) { "own step $name: $wrong" }
    return said
}

private fun complaint(value: Tensor, said: Tensor, options: Fields): String {
    val shape = options.list("shape")
    val sizes = shape.map { (it as? Json.Number)?.value?.toInt() }
    return when {
        said.dtype.label != options.text("dtype") || said.shape.size != sizes.size ->
            "gave $said, was given $value; expected its dtype and rank"
        sizes.zip(said.shape).any { (size, came) -> size != null && size != came } ->
            "gave $said; expected ${said.dtype.label} $shape"
        options.flag("keeps") && said.shape != value.shape ->
            "gave $said, was given $value; expected the same, for later steps count on it"
        else -> ""
    }
}
