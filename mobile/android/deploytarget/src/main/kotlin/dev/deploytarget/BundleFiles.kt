package dev.deploytarget

import android.content.Context
import android.content.res.AssetManager
import dev.deploytarget.core.BundleDamaged
import dev.deploytarget.core.Golden
import dev.deploytarget.core.GoldenCase
import dev.deploytarget.core.Manifest
import dev.deploytarget.core.Sealed
import java.io.File
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/* The bundle's files, as the task copyBundle put them into the assets. */

internal class BundleFiles(private val context: Context) {
    val assets: AssetManager = context.assets

    /** deploy-target.json */
    fun manifest(): ByteArray = read("$HOME/${Manifest.FILE}") ?: throw BundleDamaged("the app has no asset $HOME/${Manifest.FILE}")

    /** steps.json; null where no steps are declared. */
    fun steps(): ByteArray? = read("$HOME/steps.json")

    /** The golden case that a GPU has to answer; null where none travels. */
    fun checkCase(): GoldenCase? = read("$HOME/check.safetensors")?.let { Golden.read(ByteBuffer.wrap(it)).first() }

    /** All golden cases of the bundle: in the assets of the tests alone. */
    fun golden(): List<GoldenCase> = Golden.read(ByteBuffer.wrap(read("$HOME/${Golden.FILE}") ?: return emptyList()))

    /** The model, mapped: an APK holds it uncompressed. Throws BundleDamaged where it is not the one that the manifest names. */
    fun mapped(name: String, manifest: Manifest): ByteBuffer {
        val bytes = assets.openFd("$HOME/$name").use { file ->
            file.createInputStream().use { it.channel.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength) }
        }
        Sealed(manifest).check(name, bytes)
        return bytes
    }

    /** The model as a file with a path, where no backup takes it to another phone. Throws BundleDamaged as `mapped` does. */
    fun copied(name: String, manifest: Manifest): File =
        Sealed(manifest).copied(name, context.noBackupFilesDir.resolve(HOME), context.cacheDir) { assets.open("$HOME/$name") }

    private fun read(name: String): ByteArray? = try {
        assets.open(name).use { it.readBytes() }
    } catch (_: FileNotFoundException) {
        null
    }

    companion object {
        /** The folder among the app's assets. */
        const val HOME = "deploytarget"
    }
}
