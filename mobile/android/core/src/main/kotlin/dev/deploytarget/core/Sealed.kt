package dev.deploytarget.core

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.security.MessageDigest

/*
 * Files that are what the manifest says they are: compared by their SHA-256 whenever they are taken.
 *
 * An app's assets are no files. A runtime that wants a path gets a copy, which lies where others may write.
 */

/** The files that [manifest] names. */
class Sealed(private val manifest: Manifest) {
    /** Throws BundleDamaged where these bytes are not the file of that name. */
    fun check(name: String, bytes: ByteBuffer) {
        val (got, want) = sha256(bytes) to want(name)
        if (got != want) throw BundleDamaged("$name has the SHA-256 $got, expected $want")
    }

    /**
     * The file of that name in a [folder] of its own, under its SHA-256: copied once.
     *
     * It is copied to [scratch] and moved, so that nobody finds half a file; both folders have to be of one disk. A copy
     * that is no longer what it was is made again; what else lies in the folder is of an older app, and is deleted.
     * Throws BundleDamaged where what was [opened] is not the file that the manifest names.
     */
    fun copied(name: String, folder: File, scratch: File, opened: () -> InputStream): File = synchronized(Sealed) {
        val file = folder.resolve("${want(name)}-$name")
        if (!file.isFile || sha256(mapped(file)) != want(name)) {
            val fresh = File.createTempFile("copy", null, scratch)
            try {
                opened().use { from -> fresh.outputStream().use { from.copyTo(it) } }
                check(name, mapped(fresh))
                folder.mkdirs()
                if (!fresh.renameTo(file)) throw IOException("$fresh cannot be moved to $file")
            } finally {
                fresh.delete()
            }
        }
        folder.listFiles().orEmpty().filter { it != file }.forEach { it.delete() }
        return file
    }

    private fun want(name: String) = manifest.files[name]?.sha256 ?: throw BundleDamaged("${Manifest.FILE} names no $name")

    private fun mapped(file: File): ByteBuffer = file.inputStream().use { it.channel.map(FileChannel.MapMode.READ_ONLY, 0, file.length()) }

    private fun sha256(bytes: ByteBuffer) = hexOf(MessageDigest.getInstance("SHA-256").apply { update(bytes.duplicate()) })

    /** What copies of one app wait for. */
    private companion object
}

/** The digest in hexadecimal digits. */
internal fun hexOf(hash: MessageDigest): String = hash.digest().joinToString("") { (it.toInt() and 0xff).toString(16).padStart(2, '0') }
