package dev.deploytarget

import dev.deploytarget.core.Manifest

/** model.tflite as LiteRT takes it: mapped for the CPU, an asset for the GPU. Throws BundleDamaged where it is not the sealed one. */
internal class Artifact(private val bundle: BundleFiles, private val manifest: Manifest) {
    private val model = bundle.mapped(FILE, manifest)

    /** What runs it there, unchecked. */
    fun opened(backend: Backend, threads: Int): Engine = when (backend) {
        Backend.CPU -> CpuEngine(model, manifest, threads)
        Backend.GPU -> GpuEngine(bundle.assets, "${BundleFiles.HOME}/$FILE", manifest)
    }

    companion object {
        private const val FILE = "model.tflite"
        val BACKENDS = listOf(Backend.GPU, Backend.CPU)
    }
}
