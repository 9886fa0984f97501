/// For each new row of an image: the old rows that it is made of, and their weights, by torch.
///
/// All in float32, as there, so that places and weights round alike.
struct Taps {
    /// Of each new row.
    let many: Int
    let places: [Int]
    let weights: [Float]

    var made: Int { places.count / many }

    static func of(_ old: Int, _ made: Int, _ interpolation: String, _ antialias: String) -> Taps {
        if interpolation == "nearest" { return nearest(old, made) }
        if interpolation == "area" { return area(old, made) }
        if antialias == "torch" { return antialiased(old, made, interpolation) }
        return interpolation == "bilinear" ? linear(old, made) : cubic(old, made)
    }

    private static func nearest(_ old: Int, _ made: Int) -> Taps {
        let scale = Float(old) / Float(made)
        let places = (0..<made).map { min(Int((Float($0) * scale).rounded(.down)), old - 1) }
        return Taps(many: 1, places: places, weights: places.map { _ in 1 })
    }

    /// The mean of all old rows that a new one touches, each counted in full.
    private static func area(_ old: Int, _ made: Int) -> Taps {
        let spans = (0..<made).map { ($0 * old / made, (($0 + 1) * old + made - 1) / made) }
        return weighed(spans, old) { _, _ in 1 }
    }

    private static func antialiased(_ old: Int, _ made: Int, _ interpolation: String) -> Taps {
        let scale = Float(old) / Float(made)
        let spread = max(scale, 1)
        let support = (interpolation == "bilinear" ? 1 : 2) * spread
        let inverse = 1 / spread
        let centres = (0..<made).map { scale * (Float($0) + 0.5) }
        let spans = centres.map { centre in
            (
                max(Int((centre - support + 0.5).rounded(.down)), 0),
                min(Int((centre + support + 0.5).rounded(.down)), old)
            )
        }
        return weighed(spans, old) { row, i in
            kernel((Float(row) - centres[i] + 0.5) * inverse, interpolation, -0.5)
        }
    }

    /// From spans of rows of unequal length; the weights of each new row sum to 1.
    private static func weighed(
        _ spans: [(first: Int, end: Int)], _ old: Int, _ weigh: (Int, Int) -> Float
    ) -> Taps {
        let many = spans.reduce(1) { max($0, $1.end - $1.first) }
        var (places, weights): ([Int], [Float]) = ([], [])
        for (i, span) in spans.enumerated() {
            let rows = span.first..<span.first + many
            let own = rows.map { $0 < span.end ? weigh($0, i) : 0 }
            let sum = own.reduce(0, +)
            places += rows.map { min($0, old - 1) }
            weights += own.map { $0 / sum }
        }
        return Taps(many: many, places: places, weights: weights)
    }

    private static func kernel(_ away: Float, _ interpolation: String, _ a: Float) -> Float {
        let x = away.magnitude
        if interpolation == "bilinear" { return max(1 - x, 0) }
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }

    private static func linear(_ old: Int, _ made: Int) -> Taps {
        var (places, weights): ([Int], [Float]) = ([], [])
        for i in 0..<made {
            let place = max(centre(i, old, made), 0)
            let first = min(Int(place), old - 1)
            let share = min(max(place - Float(first), 0), 1)
            places += [first, min(first + 1, old - 1)]
            weights += [1 - share, share]
        }
        return Taps(many: 2, places: places, weights: weights)
    }

    private static func cubic(_ old: Int, _ made: Int) -> Taps {
        var (places, weights): ([Int], [Float]) = ([], [])
        for i in 0..<made {
            let place = centre(i, old, made)
            let first = place.rounded(.down)
            for offset in -1...2 {
                places.append(min(max(Int(first) + offset, 0), old - 1))
                weights.append(kernel(place - first - Float(offset), "bicubic", -0.75))
            }
        }
        return Taps(many: 4, places: places, weights: weights)
    }

    /// Where the centre of a new row lies, in old rows. Rounded once, at the end: torch's machine
    /// code multiplies and subtracts in one step.
    private static func centre(_ i: Int, _ old: Int, _ made: Int) -> Float {
        Float(Double(Float(old) / Float(made)) * (Double(i) + 0.5) - 0.5)
    }
}
