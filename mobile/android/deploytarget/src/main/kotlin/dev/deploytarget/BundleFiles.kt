package dev.deploytarget

import android.content.res.AssetManager
import dev.deploytarget.core.BundleDamaged
import dev.deploytarget.core.Golden
import dev.deploytarget.core.GoldenCase
import dev.deploytarget.core.Manifest
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.security.MessageDigest

/* The bundle's files, as the task copyBundle put them into the assets. */

internal class BundleFiles(val assets: AssetManager) {
    /** deploy-target.json */
    fun manifest(): ByteArray = read("$HOME/${Manifest.FILE}") ?: throw BundleDamaged("the app has no asset $HOME/${Manifest.FILE}")

    /** steps.json; null where no steps are declared. */
    fun steps(): ByteArray? = read("$HOME/steps.json")

    /** The golden case that a GPU has to answer; null where none travels. */
    fun checkCase(): GoldenCase? = read("$HOME/check.safetensors")?.let { Golden.read(ByteBuffer.wrap(it)).first() }

    /** All golden cases of the bundle: in the assets of the tests alone. */
    fun golden(): List<GoldenCase> = Golden.read(ByteBuffer.wrap(read("$HOME/${Golden.FILE}") ?: return emptyList()))

    /** model.tflite, mapped: an APK holds it uncompressed. */
    fun model(): ByteBuffer = assets.openFd(MODEL).use { file ->
        file.createInputStream().use { it.channel.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength) }
    }

    /** Throws BundleDamaged where model.tflite is not the one that the manifest names. */
    fun check(manifest: Manifest) {
        val want = manifest.files["model.tflite"]?.sha256
        val hash = MessageDigest.getInstance("SHA-256").apply { update(model()) }.digest()
        val got = hash.joinToString("") { (it.toInt() and 0xff).toString(16).padStart(2, '0') }
        if (got != want) throw BundleDamaged("model.tflite has the SHA-256 $got, expected $want")
    }

    private fun read(name: String): ByteArray? = try {
        assets.open(name).use { it.readBytes() }
    } catch (_: FileNotFoundException) {
        null
    }

    companion object {
        /** The folder among the app's assets. */
        const val HOME = "deploytarget"

        /** The model among the app's assets. */
        const val MODEL = "$HOME/model.tflite"
    }
}
