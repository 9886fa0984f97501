package dev.deploytarget.core

/*
 * Judges answers to golden cases by the bounds in the manifest, on whatever device this runs.
 *
 * The numbers alone are judged here. Whether a classifier still chooses the same class where the
 * original is sure is asked where the recording is judged: `deploy-target verify --actual`.
 */

/** The verdict on one output of one call. */
data class Row(val call: String, val output: String, val passed: Boolean, val reason: String, val relativeL2: Double)

/** Judges the answers of the artifact that [manifest] describes. */
class Check(private val manifest: Manifest) {
    /** A row for each output; [answer] is in the artifact's names and layout. */
    fun judged(case: GoldenCase, answer: Map<String, Tensor>, lane: String? = null): List<Row> {
        val entry = manifest.entry(case.entry)
        val bounds = manifest.bounds[recipe(lane)]?.get(case.golden).orEmpty()
        val rows = entry.outputs.map { port ->
            val want = case.expected[port.spec.name]
                ?: return@map failed(case, port.of, "${Golden.FILE} has no answer of the original's for it")
            row(case, port.of, judged(case, port, want, answer[port.spec.name], bounds[port.of] ?: Bound.NOTHING))
        }
        val known = entry.outputs.map { it.spec.name }.toSet()
        val more = case.expected.keys + answer.keys - known
        val unknown = more.map { failed(case, it, "entry \"${entry.name}\" has no such output") }
        // To have found nothing wrong where nothing was asked would sound like a proof.
        return (rows + unknown).ifEmpty { listOf(failed(case, "all outputs", "entry \"${entry.name}\" has none")) }
    }

    private fun judged(case: GoldenCase, port: Port, want: Tensor, got: Tensor?, bound: Bound): Distance {
        val signature = manifest.signatures[case.golden] ?: manifest.signature
        val spec = signature.outputs.find { it.name == port.of } ?: port.spec
        val back = inverse(port.axes)
        if (got != null && got.dtype != port.spec.dtype) {
            return failed("its dtype is ${got.dtype.label}, expected ${port.spec.dtype.label}")
        }
        if (got != null && got.shape.size != want.shape.size) return compared(want, got, null, bound, Meaning(null))
        val noise = case.noise[port.spec.name]
        return compared(
            permuted(want, back),
            got?.let { permuted(it, back) },
            noise?.let { permuted(it, back) },
            bound,
            Meaning(batchAxis(spec, signature.batch), spec.kind),
        )
    }

    private fun recipe(lane: String?): String {
        val found = if (lane == null) manifest.lanes.firstOrNull() else manifest.lanes.find { it.name == lane }
        return requireNotNull(found) {
            "no lane is named \"$lane\"; this bundle has ${manifest.lanes.joinToString { "\"${it.name}\"" }}"
        }.recipe
    }

    private fun row(case: GoldenCase, output: String, found: Distance) =
        Row(case.call, output, found.reason.isEmpty(), found.reason, found.relativeL2)

    private fun failed(case: GoldenCase, output: String, reason: String) = row(case, output, failed(reason))
}
