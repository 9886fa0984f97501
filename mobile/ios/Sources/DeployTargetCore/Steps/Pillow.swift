/// Pillow's resize of 8-bit images, to the bit: weights in whole numbers, one side at a time.
///
/// What is between the two sides is rounded, so that their order can be seen in the answer.
enum Pillow {
    /// Bits of a weight after the point: with 8 of a level, a sum just fits into 32.
    private static let bits = 22

    /// Of each new row: its first old one, and its weights as whole numbers.
    private struct Taps {
        let first: [Int]
        let weights: [[Int32]]
    }

    static func resized(
        _ value: Tensor, _ new: [Int], _ interpolation: String, _ passes: String
    ) throws -> Tensor {
        let axes = heightFirst(passes, value.shape, new) ? [0, 1] : [1, 0]
        return try axes.reduce(value) { try onePass($0, $1, new[$1], interpolation) }
    }

    /// Whether Pillow begins with the height: "width" (up to 12.1) never, "12.2" where the image is
    /// over 100 times as tall as wide, "13" where it loses over twice as many rows as columns.
    private static func heightFirst(_ passes: String, _ old: [Int], _ new: [Int]) -> Bool {
        let (rows, columns) = (old[0] - new[0], old[1] - new[1])
        if passes == "12.2" { return rows > 0 && old[0] > 100 * old[1] }
        return passes == "13" && rows > 0 && rows > 2 * columns
    }

    private static func onePass(
        _ image: Tensor, _ axis: Int, _ made: Int, _ interpolation: String
    ) throws -> Tensor {
        let around = try Around(image.shape, axis)
        if around.along == made { return image }
        let taps = interpolation == "nearest"
            ? nearest(around.along, made) : try weighed(around.along, made, interpolation)
        var shape = image.shape
        shape[axis] = made
        var pixels = [UInt8](repeating: 0, count: shape.reduce(1, *))
        image.bytes().withUnsafeBufferPointer { given in
            pixels.withUnsafeMutableBufferPointer { pixels in
                for outer in 0..<around.outer {
                    for i in 0..<made {
                        let from = (outer * around.along + taps.first[i]) * around.inner
                        let to = (outer * made + i) * around.inner
                        sum(given, from, around.inner, taps.weights[i], pixels, to)
                    }
                }
            }
        }
        return Tensor(shape, pixels)
    }

    private static func sum(
        _ given: UnsafeBufferPointer<UInt8>, _ from: Int, _ inner: Int, _ weights: [Int32],
        _ pixels: UnsafeMutableBufferPointer<UInt8>, _ to: Int
    ) {
        weights.withUnsafeBufferPointer { weights in
            for n in 0..<inner {
                var sum = Int32(1) << (bits - 1)
                var at = from + n
                for weight in weights {
                    sum = sum &+ Int32(given[at]) &* weight
                    at += inner
                }
                pixels[to + n] = UInt8(min(max(sum >> bits, 0), 255))
            }
        }
    }

    /// The place is summed up, step by step, as there: multiplied, it would differ now and then.
    private static func nearest(_ old: Int, _ made: Int) -> Taps {
        let step = Double(old) / Double(made)
        var place = step * 0.5
        let first = (0..<made).map { _ in
            defer { place += step }
            return min(Int(place), old - 1)
        }
        return Taps(first: first, weights: first.map { _ in [1 << bits] })
    }

    private static func weighed(_ old: Int, _ made: Int, _ interpolation: String) throws -> Taps {
        let (reach, weigh) = try kernel(interpolation)
        let ratio = Double(old) / Double(made)
        let spread = max(ratio, 1)
        var (first, weights): ([Int], [[Int32]]) = ([], [])
        for i in 0..<made {
            let centre = (Double(i) + 0.5) * ratio
            let begin = max(Int(centre - reach * spread + 0.5), 0)
            let end = min(Int(centre + reach * spread + 0.5), old)
            let own = (begin..<end).map { weigh((Double($0) - centre + 0.5) * (1 / spread)) }
            let sum = own.reduce(0, +)
            first.append(begin)
            weights.append(own.map { fixed(sum == 0 ? $0 : $0 / sum) })
        }
        return Taps(first: first, weights: weights)
    }

    private static func fixed(_ weight: Double) -> Int32 {
        Int32(weight * Double(1 << bits) + (weight < 0 ? -0.5 : 0.5))
    }

    /// How far it reaches, and its weight.
    private static func kernel(_ name: String) throws -> (Double, (Double) -> Double) {
        switch name {
        case "area": return (0.5, { $0 > -0.5 && $0 <= 0.5 ? 1 : 0 })
        case "bilinear": return (1, { max(0, 1 - $0.magnitude) })
        case "bicubic": return (2, bicubic)
        default: throw WrongUse("no interpolation is named \"\(name)\"")
        }
    }

    private static func bicubic(_ away: Double) -> Double {
        let (x, a) = (away.magnitude, -0.5)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
}
