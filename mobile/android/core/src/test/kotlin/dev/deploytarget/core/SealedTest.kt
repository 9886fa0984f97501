package dev.deploytarget.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File
import java.io.InputStream
import java.nio.ByteBuffer
import java.security.MessageDigest

class SealedTest {
    @get:Rule
    val folders = TemporaryFolder()

    private val bytes = "a model".toByteArray()
    private val hash = hexOf(MessageDigest.getInstance("SHA-256").apply { update(bytes) })
    private val sealed = Sealed(Manifest("m", "t", "d", mapOf(), listOf(), listOf(), mapOf(), mapOf("model.pte" to FileRecord("model", 7, hash)), mapOf()))
    private val folder by lazy { folders.root.resolve("models") }
    private val scratch by lazy { folders.newFolder() }
    private var opened = 0

    private fun asset(content: ByteArray = bytes): () -> InputStream = { content.inputStream().also { opened++ } }
    private fun copied(from: () -> InputStream = asset()): File = sealed.copied("model.pte", folder, scratch, from)

    @Test
    fun `bytes are compared with the manifest`() {
        sealed.check("model.pte", ByteBuffer.wrap(bytes))
        assertThrows(BundleDamaged::class.java) { sealed.check("model.pte", ByteBuffer.wrap("another".toByteArray())) }
        val unknown = assertThrows(BundleDamaged::class.java) { sealed.check("model.ptl", ByteBuffer.wrap(bytes)) }
        assertTrue(unknown.message!!.startsWith("deploy-target.json names no model.ptl"))
    }

    @Test
    fun `a file is copied once and named by its hash`() {
        assertEquals("$hash-model.pte", copied().name)
        assertEquals("a model", copied().readText())
        assertEquals(1, opened)
    }

    @Test
    fun `a copy that was changed is made again and never given`() {
        copied().writeText("another")
        assertEquals("a model", copied().readText())
        assertEquals(2, opened)
    }

    @Test
    fun `an asset that is not the sealed file is not copied`() {
        assertThrows(BundleDamaged::class.java) { copied(asset("another".toByteArray())) }
        assertEquals(listOf<String>(), listOf(folder, scratch).flatMap { it.list().orEmpty().toList() })
    }

    @Test
    fun `what an older app left is deleted`() {
        folder.mkdirs()
        folder.resolve("0000-model.pte").writeText("older")
        assertEquals(listOf(copied().name), folder.list()!!.toList())
    }
}
