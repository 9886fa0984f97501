package dev.deploytarget.core

import java.io.IOException

/*
 * What can go wrong that is nobody's programming mistake.
 *
 * A wrong name, shape or dtype in a call is an IllegalArgumentException that names the field and
 * says what was expected.
 */

/**
 * Raw input that cannot be taken: the sender's mistake, in words for the sender.
 *
 * [status] is the HTTP status that says the same: 413 too large, 415 another medium, 422 damaged.
 */
class Refused(message: String, val status: Int = 422) : Exception(message)

/** A file of the bundle is cut off, or is not what it should be. */
class BundleDamaged(message: String) : IOException("$message; copy the bundle again whole")
