/// Recordings: samples of one length, overlapping frames, evened out, axes in another order.
enum Audio {
    /// Just `samples`, silence added at one end or cut off there; never fewer than `least`.
    static func length(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let around = try Around(value.shape, -1)
        let (n, least) = (around.along, try options.int("least"))
        let (samples, pad) = (try options.intOrNil("samples"), try options.text("pad"))
        if n < least && (samples == nil || pad == "refuse") {
            throw Refused("the recording has \(n) samples at this rate, expected \(least) at least")
        }
        guard let samples, samples != n else { return value }
        let end = n < samples ? pad : try options.text("trim")
        if end == "refuse" {
            throw Refused("the recording has \(n) samples at this rate, expected \(samples)")
        }
        let from = end == "start" ? max(0, n - samples) : 0
        let silence = [Float](repeating: 0, count: max(0, samples - n))
        let given = value.floats()
        var made: [Float] = []
        for outer in 0..<around.outer {
            let taken = given[outer * n + from..<outer * n + min(n, from + samples)]
            made += end == "start" ? silence + taken : taken + silence
        }
        return Tensor(Array(value.shape.dropLast() + [samples]), made)
    }

    /// [..., time, size]: overlapping pieces; a rest that fills none is dropped, or with pad "end"
    /// filled up with silence; "centre" pads half a frame at both ends.
    static func frames(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let (size, hop) = (try options.int("size"), try options.int("hop"))
        let around = try Around(value.shape, -1)
        let (before, after) = added(around.along, size, hop, try options.text("pad"))
        let long = before + around.along + after
        if long < size { throw Refused("\(around.along) samples are less than a frame of \(size)") }
        let (time, mode) = ((long - size) / hop + 1, try options.text("pad_mode"))
        let given = value.floats()
        var made: [Float] = []
        made.reserveCapacity(around.outer * time * size)
        for outer in 0..<around.outer {
            let row = Array(given[outer * around.along..<(outer + 1) * around.along])
            let padded = LogMel.padded(row, before, after, mode)
            for t in 0..<time { made += padded[t * hop..<t * hop + size] }
        }
        return Tensor(Array(value.shape.dropLast() + [time, size]), made)
    }

    private static func added(_ n: Int, _ size: Int, _ hop: Int, _ pad: String) -> (Int, Int) {
        if pad == "centre" { return (size / 2, size / 2) }
        if pad != "end" { return (0, 0) }
        let over = n - size
        return (0, over > 0 ? (hop - over % hop) % hop : -over)
    }

    /// (x - mean) / max(sqrt(variance + epsilon), floor), over each frame, all time or the recording.
    static func normalise(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let (over, ddof) = (try options.text("over"), try options.int("ddof"))
        let (epsilon, floor) = (try options.number("epsilon"), try options.number("floor"))
        let x = value.doubles()
        let shape = over == "recording" ? [x.count] : value.shape
        let around = try Around(shape, over == "time" ? -2 : -1)
        let free = Double(max(around.along, ddof + 1) - ddof)
        var made = [Float](repeating: 0, count: x.count)
        for outer in 0..<around.outer {
            for n in 0..<around.inner {
                let start = outer * around.along * around.inner + n
                let row = stride(from: start, to: start + around.along * around.inner, by: around.inner)
                let mean = row.reduce(0) { $0 + x[$1] } / Double(around.along)
                let squares = row.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) }
                let spread = max((squares / free + epsilon).squareRoot(), floor)
                for at in row { made[at] = Float((x[at] - mean) / spread) }
            }
        }
        return Tensor(value.shape, made)
    }

    /// Axes by name in another order; a name that was not given becomes an axis of one.
    static func arrange(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let (given, to) = (try options.texts("given"), try options.texts("to"))
        let turned = value.permuted(to.compactMap { given.firstIndex(of: $0) })
        var sizes = turned.shape[...]
        return turned.reshaped(to.map { given.contains($0) ? sizes.removeFirst() : 1 })
    }
}
