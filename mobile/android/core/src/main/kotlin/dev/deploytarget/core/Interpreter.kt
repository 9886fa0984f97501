package dev.deploytarget.core

/** What runs the artifact: on a device, the runtime that it was made for. */
fun interface Interpreter {
    /** The answer of an entry, in the artifact's names, layout and dtypes. */
    fun run(entry: String, inputs: Map<String, Tensor>): Map<String, Tensor>
}
