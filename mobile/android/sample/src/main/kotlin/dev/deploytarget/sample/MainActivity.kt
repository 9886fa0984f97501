package dev.deploytarget.sample

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.os.Bundle
import android.os.SystemClock
import android.widget.Button
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.ScrollView
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts
import dev.deploytarget.DeployTargetModel
import dev.deploytarget.core.Json
import dev.deploytarget.photoOf
import java.util.concurrent.Executors

/** A photo from the gallery or the camera -> the five best answers as bars, and how long one took. */
class MainActivity : ComponentActivity() {
    // One thread owns the model: it loads, asks and closes it, and the screen never waits.
    private val background = Executors.newSingleThreadExecutor()
    private var model: DeployTargetModel? = null

    private lateinit var said: TextView
    private lateinit var photo: ImageView
    private lateinit var bars: LinearLayout

    private val gallery = registerForActivityResult(ActivityResultContracts.PickVisualMedia()) { uri ->
        if (uri != null) ask {
            val bytes = contentResolver.openInputStream(uri)!!.use { it.readBytes() }
            BitmapFactory.decodeByteArray(bytes, 0, bytes.size) to { it.predict(bytes) }
        }
    }

    // The camera's preview is small, which is enough to try a model; an app of yours takes the whole photo.
    private val camera = registerForActivityResult(ActivityResultContracts.TakePicturePreview()) { taken ->
        if (taken != null) ask { taken to { it.predict(photoOf(taken)) } }
    }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(screen())
        background.execute {
            val words = runCatching { DeployTargetModel.load(this).also { model = it }.info().toString() }
            runOnUiThread { said.text = words.getOrElse { it.message ?: it.toString() } }
        }
    }

    override fun onDestroy() {
        super.onDestroy()
        background.execute { model?.close() }
        background.shutdown()
    }

    private fun screen() = ScrollView(this).apply {
        fitsSystemWindows = true
        addView(LinearLayout(context).apply {
            orientation = LinearLayout.VERTICAL
            addView(button(R.string.choose) { gallery.launch(PickVisualMediaRequest(ActivityResultContracts.PickVisualMedia.ImageOnly)) })
            addView(button(R.string.take) { camera.launch(null) })
            addView(ImageView(context).apply { adjustViewBounds = true }.also { photo = it })
            addView(TextView(context).apply { setText(R.string.loading) }.also { said = it })
            addView(LinearLayout(context).apply { orientation = LinearLayout.VERTICAL }.also { bars = it })
        })
    }

    private fun button(label: Int, pressed: () -> Unit) = Button(this).apply {
        setText(label)
        setOnClickListener { pressed() }
    }

    /** Reads a photo and asks the model of it, both in the background. */
    private fun ask(read: () -> Pair<Bitmap?, (DeployTargetModel) -> Map<String, Any?>>) = background.execute {
        val model = model ?: return@execute
        val shown = runCatching {
            val (bitmap, question) = read()
            val start = SystemClock.elapsedRealtime()
            Triple(bitmap, question(model), SystemClock.elapsedRealtime() - start)
        }
        runOnUiThread { shown.fold({ (bitmap, answer, took) -> show(bitmap, answer, took, model) }, { said.text = it.message }) }
    }

    private fun show(bitmap: Bitmap?, answer: Map<String, Any?>, took: Long, model: DeployTargetModel) {
        photo.setImageBitmap(bitmap)
        said.text = getString(R.string.took, model.info().backend, took, model.info().runtime)
        bars.removeAllViews()
        val best = best(answer)
        if (best.isEmpty()) bars.addView(TextView(this).apply { text = Json.write(answer) })
        best.forEach { (label, score) ->
            bars.addView(TextView(this).apply { text = "%s  %.3f".format(label, score) })
            bars.addView(ProgressBar(this, null, android.R.attr.progressBarStyleHorizontal).apply {
                max = 1000
                progress = (1000 * score).toInt()
            })
        }
    }

    /** The five best of the first output that is a list of labels with scores; empty where none is. */
    private fun best(answer: Map<String, Any?>): List<Pair<String, Double>> = answer.values.asSequence()
        .filterIsInstance<List<*>>()
        .map { found -> found.filterIsInstance<Map<*, *>>().mapNotNull(::scored) }
        .firstOrNull { it.isNotEmpty() }.orEmpty()
        .sortedByDescending { it.second }.take(5)

    private fun scored(one: Map<*, *>): Pair<String, Double>? {
        val score = (one["score"] as? Number)?.toDouble() ?: (one["score"] as? Json.Number)?.value ?: return null
        return (one["label"] ?: one["index"]).toString() to score
    }
}
