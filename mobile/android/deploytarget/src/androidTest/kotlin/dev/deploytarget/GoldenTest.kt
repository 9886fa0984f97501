package dev.deploytarget

import android.os.Build
import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import dev.deploytarget.core.BYTES
import dev.deploytarget.core.Check
import dev.deploytarget.core.GoldenCase
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Model
import dev.deploytarget.core.Raw
import dev.deploytarget.core.Recording
import dev.deploytarget.core.Row
import dev.deploytarget.core.steps.Steps
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith
import java.io.File

/**
 * Asks every golden question on this device, judges the answers, and writes them down for
 * `deploy-target verify BUNDLE --actual recording-cpu.safetensors`. The file is written before it is
 * judged: what is wrong is worth looking into.
 */
@RunWith(AndroidJUnit4::class)
class GoldenTest {
    private val arguments = InstrumentationRegistry.getArguments()
    private val tested = InstrumentationRegistry.getInstrumentation().targetContext
    private val bundle = BundleFiles(tested)
    private val manifest = Manifest.read(bundle.manifest())
    private val cases = BundleFiles(InstrumentationRegistry.getInstrumentation().context).golden()

    @Test
    fun theCpuAnswersAsTheOriginalDoes() = judged(Backend.CPU)

    @Test
    fun whatElseIsTakenAnswersAsTheOriginalDoes() {
        val refused = LinkedHashMap<Backend, String>()
        val taken = (Artifact.BACKENDS - Backend.CPU).filter { backend ->
            val info = DeployTargetModel.load(tested, listOf(backend, Backend.CPU)).use { it.info() }
            refused += info.refused
            info.backend == backend
        }
        taken.forEach { judged(it) }
        assumeTrue("beside the CPU nothing was taken: $refused", taken.isNotEmpty())
    }

    @Test
    fun loadSaysWhatItTook() = DeployTargetModel.load(tested).use { model ->
        assertEquals(manifest.name, model.info().model)
        assertTrue(model.info().runtime.isNotEmpty())
    }

    private fun judged(backend: Backend) {
        assertTrue("no golden question travels with this bundle", cases.isNotEmpty())
        val rows = Artifact(bundle, manifest).opened(backend, threads = 2).use { engine -> asked(engine, backend) }
        assertEquals(emptyList<Row>(), rows.filter { !it.passed })
    }

    private fun asked(engine: Engine, backend: Backend): List<Row> {
        val lane = laneOf(backend)
        val recording = lane?.let { Recording(manifest, it, engine.runtime, "${Build.MANUFACTURER} ${Build.MODEL}, Android ${Build.VERSION.RELEASE}") }
        val model = Model(manifest, bundle.steps()?.let { Steps.read(it) }, engine, PlatformDecoder)
        val rows = cases.flatMap { case ->
            val answer = answer(case, model, engine)
            recording?.add(case, answer)
            Check(manifest).judged(case, answer, lane)
        }
        recording?.let { written -> file(backend).outputStream().use { written.write(it) } }
        return rows
    }

    /** From raw bytes, by the steps and this device's decoder; or from the model's own tensors. */
    private fun answer(case: GoldenCase, model: Model, engine: Engine) =
        if (case.golden == BYTES) model.predictTensors(model.raws(case.inputs)) else engine.run(case.entry, case.inputs)

    /** The lane of this manifest that a device's answers belong to; null where it has none. */
    private fun laneOf(backend: Backend): String? {
        val wanted = if (backend == Backend.CPU) listOf("android") else listOf("android-${backend.name.lowercase()}", "android")
        return wanted.firstOrNull { name -> manifest.lanes.any { it.name == name } }
    }

    private fun file(backend: Backend): File {
        val folder = arguments.getString("additionalTestOutputDir")?.let(::File) ?: tested.getExternalFilesDir(null)!!
        folder.mkdirs()
        return folder.resolve("recording-${backend.name.lowercase()}.safetensors")
    }
}
