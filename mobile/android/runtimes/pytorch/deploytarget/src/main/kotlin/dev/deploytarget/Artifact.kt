package dev.deploytarget

import dev.deploytarget.core.Manifest

/** model.ptl as the lite interpreter takes it: by a path. Throws BundleDamaged where it is not the sealed one. */
internal class Artifact(bundle: BundleFiles, private val manifest: Manifest) {
    private val model = bundle.copied(FILE, manifest)

    /** What runs it there, unchecked. Throws IllegalArgumentException for a GPU. */
    fun opened(backend: Backend, threads: Int): Engine {
        require(backend in BACKENDS) { "the lite interpreter runs $FILE on the CPU" }
        return CpuEngine(model, manifest, threads)
    }

    companion object {
        private const val FILE = "model.ptl"
        val BACKENDS = listOf(Backend.CPU)
    }
}
