package dev.deploytarget

import dev.deploytarget.core.Manifest

/** model.pte as ExecuTorch takes it: by a path. Throws BundleDamaged where it is not the sealed one. */
internal class Artifact(bundle: BundleFiles, private val manifest: Manifest) {
    private val model = bundle.copied(FILE, manifest)

    /** What runs it there, unchecked. Throws IllegalArgumentException for a GPU. */
    fun opened(backend: Backend, threads: Int): Engine {
        require(backend in BACKENDS) { "$FILE is made for the CPU: it is delegated to XNNPACK" }
        return CpuEngine(model, manifest, threads)
    }

    companion object {
        private const val FILE = "model.pte"
        val BACKENDS = listOf(Backend.CPU)
    }
}
