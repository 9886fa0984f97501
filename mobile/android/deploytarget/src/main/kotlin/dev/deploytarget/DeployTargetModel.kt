package dev.deploytarget

import android.content.Context
import android.os.Looper
import dev.deploytarget.core.Check
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Model
import dev.deploytarget.core.Raw
import dev.deploytarget.core.Tensor
import dev.deploytarget.core.steps.Photo
import dev.deploytarget.core.steps.Steps
import java.io.Closeable

/*
 * The model of a bundle, on Android.
 *
 * In: the assets that `copyBundle` makes of the bundle. Out: answers, in the model's own names or in
 * words. `Artifact.kt` and `Engines.kt` run the file, and are all that is of one runtime; everything
 * that has no Android in it is the module core.
 */

/** Where a model runs. Not every runtime has each. */
enum class Backend { GPU, CPU }

/** What runs the model, and why what was preferred to it does not: for a log, or a page about the app. */
data class Info(val model: String, val backend: Backend, val runtime: String, val refused: Map<Backend, String>)

/** The model. One question is answered at a time; any thread may ask. */
class DeployTargetModel private constructor(private val model: Model, private val engine: Engine, private val info: Info) : Closeable {
    /** Asks in the model's own names, layout and dtypes; `Names.kt` has the same, typed. */
    fun run(inputs: Map<String, Tensor>): Map<String, Tensor> = synchronized(this) { model.run(inputs) }

    /** From the bytes of a photo, a recording or a table to words, by the declared steps. Throws Refused. */
    fun predict(bytes: ByteArray): Map<String, Any?> = synchronized(this) { model.predict(bytes) }

    /** The same from pixels: a camera's, with no file in between. */
    fun predict(photo: Photo): Map<String, Any?> = synchronized(this) { model.predict(photo) }

    /** The same of a model with several inputs. */
    fun predict(raw: Map<String, Raw>): Map<String, Any?> = synchronized(this) { model.predict(raw) }

    /** What was chosen at load. */
    fun info(): Info = info

    /** Frees what the runtime holds. */
    override fun close() = synchronized(this) { engine.close() }

    companion object {
        /**
         * Loads the model. It takes some hundred milliseconds, and so is refused on the main thread.
         *
         * Of [prefer] the first is taken that can be had; a GPU only where it answers one golden
         * question within the manifest's bounds. Throws BundleDamaged where the model's file is not the
         * sealed one, IllegalStateException where nothing of [prefer] is left.
         */
        fun load(context: Context, prefer: List<Backend> = Artifact.BACKENDS, threads: Int = 2): DeployTargetModel {
            check(Looper.myLooper() != Looper.getMainLooper()) { "load the model on a background thread: it reads and compiles it" }
            val bundle = BundleFiles(context.applicationContext)
            val manifest = Manifest.read(bundle.manifest())
            val artifact = Artifact(bundle, manifest)
            val refused = LinkedHashMap<Backend, String>()
            for (backend in prefer) {
                val engine = trusted(backend, artifact, bundle, manifest, threads, refused) ?: continue
                val steps = bundle.steps()?.let { Steps.read(it) }
                val info = Info(manifest.name, backend, engine.runtime, refused)
                return DeployTargetModel(Model(manifest, steps, engine, PlatformDecoder), engine, info)
            }
            throw IllegalStateException("nothing runs the model: $refused")
        }

        /** What runs the file there; null where that cannot be had, or is not to be trusted. */
        private fun trusted(
            backend: Backend, artifact: Artifact, bundle: BundleFiles, manifest: Manifest, threads: Int, refused: MutableMap<Backend, String>,
        ): Engine? {
            var engine: Engine? = null
            val why = try {
                engine = artifact.opened(backend, threads)
                if (backend == Backend.CPU) null else doubt(engine, bundle, manifest)
            } catch (error: Exception) {
                error.toString()
            } catch (error: LinkageError) {
                // A phone whose native library is missing or does not load.
                error.toString()
            }
            if (why == null) return engine
            engine?.close()
            refused[backend] = why
            return null
        }

        /** Why an engine is not to be trusted; null where it answered as the original does. */
        private fun doubt(engine: Engine, bundle: BundleFiles, manifest: Manifest): String? {
            val case = bundle.checkCase() ?: return "no golden question travels with this bundle to check it with"
            val rows = Check(manifest).judged(case, engine.run(case.entry, case.inputs))
            return rows.firstOrNull { !it.passed }?.let { "${it.output} of ${it.call}: ${it.reason}" }
        }
    }
}
