package dev.deploytarget

import dev.deploytarget.core.Interpreter
import java.io.Closeable

/**
 * Something that runs the model's file, and frees what it holds.
 *
 * What is of one runtime alone is Engines.kt and `Artifact`, which opens them: `Artifact(bundle,
 * manifest).opened(backend, threads)`, and `Artifact.BACKENDS`, where it can run, the best first.
 */
internal interface Engine : Interpreter, Closeable {
    /** Its name and version. */
    val runtime: String
}
