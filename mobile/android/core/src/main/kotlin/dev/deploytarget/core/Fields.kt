package dev.deploytarget.core

/** The fields of a JSON object by name and kind. Throws IllegalArgumentException for other kinds. */
class Fields(val map: Map<String, Any?>) {
    /** Whether it is there and not null. */
    fun has(name: String): Boolean = map[name] != null

    fun text(name: String): String = of(name, "a text")

    fun flag(name: String): Boolean = of(name, "true or false")

    fun number(name: String): Double = numberOf(map[name]) ?: throw wrong(name, "a number")

    fun int(name: String): Int = long(name).also { if (it != it.toInt().toLong()) throw wrong(name, "a smaller number") }.toInt()

    fun long(name: String): Long {
        val number = number(name)
        if (number != Math.rint(number)) throw wrong(name, "a whole number")
        return number.toLong()
    }

    fun list(name: String): List<Any?> = of(name, "a list")

    fun texts(name: String): List<String> = list(name).map { it as? String ?: throw wrong(name, "a list of texts") }

    fun numbers(name: String): DoubleArray =
        list(name).map { numberOf(it) ?: throw wrong(name, "a list of numbers") }.toDoubleArray()

    fun ints(name: String): List<Int> = numbers(name).map { it.toInt() }

    fun fields(name: String): Fields = Fields(mapOf(name, map[name]))

    /** The objects of a list. */
    fun several(name: String): List<Fields> = list(name).map { Fields(mapOf(name, it)) }

    /** The objects of an object, by name. */
    fun named(name: String): Map<String, Fields> =
        fields(name).map.mapValues { (key, value) -> Fields(mapOf("$name.$key", value)) }

    fun textOrNull(name: String): String? = if (has(name)) text(name) else null

    fun numberOrNull(name: String): Double? = if (has(name)) number(name) else null

    fun intOrNull(name: String): Int? = if (has(name)) int(name) else null

    fun intsOrNull(name: String): List<Int>? = if (has(name)) ints(name) else null

    fun textsOrNull(name: String): List<String>? = if (has(name)) texts(name) else null

    private inline fun <reified T> of(name: String, what: String): T = map[name] as? T ?: throw wrong(name, what)

    @Suppress("UNCHECKED_CAST")
    private fun mapOf(name: String, value: Any?): Map<String, Any?> =
        value as? Map<String, Any?> ?: throw wrong(name, "an object")

    /** JSON has no infinities: they are texts there. */
    private fun numberOf(value: Any?): Double? = when (value) {
        is Json.Number -> value.value
        "inf" -> Double.POSITIVE_INFINITY
        "-inf" -> Double.NEGATIVE_INFINITY
        "nan" -> Double.NaN
        else -> null
    }

    private fun wrong(name: String, what: String) = IllegalArgumentException("\"$name\" is ${map[name]}, expected $what")

    companion object {
        /** The object that a file of a bundle holds. Throws BundleDamaged. */
        internal fun <T> inFile(name: String, bytes: ByteArray, read: (Fields) -> T): T = try {
            @Suppress("UNCHECKED_CAST")
            val map = Json.read(bytes.toString(Charsets.UTF_8)) as? Map<String, Any?>
            read(Fields(map ?: throw BundleDamaged("$name holds no object")))
        } catch (error: Json.Wrong) {
            throw BundleDamaged("$name is no JSON: ${error.message}")
        } catch (error: IllegalArgumentException) {
            throw BundleDamaged("$name: ${error.message}")
        }
    }
}
