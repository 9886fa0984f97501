/// An image of another size, by the arithmetic of Pillow or of torch.
///
/// In: [height, width, channels], levels 0...255. Out: the same at the new size, uint8 where Pillow is
/// the convention ("pil") and float32, not rounded, where torch is ("torch" averages over what a pixel
/// covers, "none" only looks at its neighbours).
enum Resize {
    static func resize(_ value: Tensor, _ frame: inout Frame, _ options: Fields) throws -> Tensor {
        let sides = try Image.sides(value)
        let new = try newSize(sides, options)
        // Edges map to edges, and so every offset so far is stretched with the image.
        let ratio = [Double(new[1]) / Double(sides[1]), Double(new[0]) / Double(sides[0])]
        frame.toModel = frame.toModel.map { old in old.indices.map { old[$0] * ratio[$0 % 2] } }
        let (how, antialias) = (try options.text("interpolation"), try options.text("antialias"))
        if antialias == "pil" {
            let passes = try options.textOrNil("passes") ?? "width"
            return try Pillow.resized(value, new, how, passes)
        }
        let rows = try weighed(value, 0, Taps.of(sides[0], new[0], how, antialias))
        return try weighed(rows, 1, Taps.of(sides[1], new[1], how, antialias))
    }

    /// The side that follows is rounded down, but never to nothing.
    private static func newSize(_ old: [Int], _ options: Fields) throws -> [Int] {
        if let to = try options.intsOrNil("to") { return to }
        let shorter = try options.intOrNil("shorter")
        let side = try shorter ?? options.int("longer")
        let against = shorter == nil ? max(old[0], old[1]) : min(old[0], old[1])
        return [max(1, side * old[0] / against), max(1, side * old[1] / against)]
    }

    private static func weighed(_ value: Tensor, _ axis: Int, _ taps: Taps) throws -> Tensor {
        let around = try Around(value.shape, axis)
        let inner = around.inner
        let given = value.floats()
        var made = [Float](repeating: 0, count: around.outer * taps.made * inner)
        given.withUnsafeBufferPointer { given in
            made.withUnsafeMutableBufferPointer { made in
                for outer in 0..<around.outer {
                    for i in 0..<taps.made {
                        let to = (outer * taps.made + i) * inner
                        for tap in i * taps.many..<(i + 1) * taps.many where taps.weights[tap] != 0 {
                            let weight = taps.weights[tap]
                            let from = (outer * around.along + taps.places[tap]) * inner
                            for n in 0..<inner { made[to + n] += weight * given[from + n] }
                        }
                    }
                }
            }
        }
        var shape = value.shape
        shape[axis] = taps.made
        return Tensor(shape, made)
    }
}
