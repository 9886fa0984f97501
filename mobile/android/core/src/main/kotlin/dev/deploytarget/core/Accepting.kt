package dev.deploytarget.core

/*
 * Whether tensors are what a model takes: an IllegalArgumentException says which is not, and what
 * was expected.
 */

/** Throws IllegalArgumentException unless these are all inputs, of the right dtypes and sizes. */
internal fun accept(signature: Signature, tensors: Map<String, Tensor>) {
    val known = signature.inputs.map { it.name }
    for (name in tensors.keys) {
        require(name in known) { "no input is named \"$name\"; this model takes ${known.joinToString { "\"$it\"" }}" }
    }
    val sizes = sizesOf(signature.inputs, tensors)
    val axes = signature.axes.associateBy { it.name }
    for (spec in signature.inputs) {
        val wanted = "${spec.dtype.label} ${spec.shape}"
        val given = requireNotNull(tensors[spec.name]) { "input \"${spec.name}\" is missing: expected $wanted" }
        require(given.dtype == spec.dtype && given.shape.size == spec.shape.size) {
            "input \"${spec.name}\" is $given, expected $wanted"
        }
        val where = "input \"${spec.name}\" is $given, expected $wanted"
        spec.shape.zip(given.shape).forEach { (dim, size) -> acceptSize(where, dim, size, sizes, axes) }
    }
}

private fun acceptSize(where: String, dim: Dim, size: Int, sizes: Map<String, Int>, axes: Map<String, Axis>) {
    if (dim is Dim.Fixed) return require(dim.size == size) { where }
    val name = (dim as Dim.Named).name
    val axis = axes[name]
    require(axis == null || size in axis.minimum..axis.maximum) { "$where: $name must be ${axis?.minimum} to ${axis?.maximum}" }
    val right = product(name, sizes) ?: sizes[name]
    require(right == null || right == size) { "$where: $name is $right elsewhere" }
}

/** The size of "batch*time" where that of all its factors is known. */
private fun product(name: String, sizes: Map<String, Int>): Int? =
    name.split('*').fold(1 as Int?) { all, one -> (one.toIntOrNull() ?: sizes[one])?.let { all?.times(it) } }
