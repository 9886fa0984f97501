import Foundation

/// How far one output is from the original's. `reason` is empty where all is within.
public struct Distance: Equatable, Sendable {
    public let relativeL2: Double
    public let reason: String
}

/// Is an answer as near to the original's as the manifest allows?
///
/// In: what the original answered, what came, and how far the original strays from itself. Out: how
/// far it is, and why that is too far. The bounds are those by which the bundle was judged when it
/// was built. Every comparison is written as "is within", so NaN fails.
public enum Compare {
    /// Many more elements may jump than the original's own did in a few runs; and a few anyway.
    private static let most = 8
    private static let sure = 2

    public static func compared(
        want: Tensor, got: Tensor?, noise: Tensor?, bound: Bound, batch: Int?, kind: String
    ) -> Distance {
        guard let got else { return failed("it is missing") }
        guard want.shape == got.shape else {
            return failed("its shape is \(got.shape), expected \(want.shape)")
        }
        if let noise, noise.count != want.count { return failed("the noise has another shape") }
        if !want.dtype.isFloat { return exactly(want, got, noise, bound) }
        let (w, g) = (want.doubles(), got.doubles())
        let near = Near(want: want, values: w, noise: noise, bound: bound, batch: batch)
        let found = near.distance(g)
        guard found.reason != "", isSet(want.shape, kind, batch) else { return found }
        return near.distance(arranged(want.shape, w, g))
    }

    private static func failed(_ reason: String) -> Distance {
        Distance(relativeL2: .nan, reason: reason)
    }

    private static func exactly(
        _ want: Tensor, _ got: Tensor, _ noise: Tensor?, _ bound: Bound
    ) -> Distance {
        let wrong: Int
        if got.dtype.isFloat {
            wrong = zip(want.doubles(), got.doubles()).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        } else {
            wrong = zip(want.longs(), got.longs()).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        }
        let size = want.count
        let unsure = noise?.doubles().reduce(0) { $0 + ($1 == 0 ? 0 : 1) } ?? 0
        let all = (bound.jumps * Double(size)).rounded(.up)
        let few = min(all.isFinite ? Int(all) : 0, sure, size / 2)
        let allowed = unsure > 0 ? min(size, most * unsure) : few
        let reason = wrong <= allowed ? "" : "\(wrong) of \(size) elements differ, allowed \(allowed)"
        return Distance(relativeL2: 0, reason: reason)
    }

    /// Beyond so many boxes their order is left as it is.
    private static let mostBoxes = 1000

    private static func isSet(_ shape: [Int], _ kind: String, _ batch: Int?) -> Bool {
        guard kind == "detection", shape.count >= 2 else { return false }
        let (rows, wide) = (shape[shape.count - 2], shape[shape.count - 1])
        return wide > 4 && rows <= mostBoxes && batch != shape.count - 2
    }

    /// Boxes in the order of the original's: each the nearest that is left.
    private static func arranged(_ shape: [Int], _ w: [Double], _ g: [Double]) -> [Double] {
        let (rows, wide) = (shape[shape.count - 2], shape[shape.count - 1])
        var made = g
        for start in stride(from: 0, to: w.count, by: max(1, rows * wide)) {
            var free = (0..<rows).map { start + $0 * wide }
            for at in stride(from: start, to: start + rows * wide, by: wide) {
                var (best, least) = (0, gap(w, g, at, free[0], wide))
                for place in free.indices.dropFirst() {
                    let other = gap(w, g, at, free[place], wide)
                    if other < least { (best, least) = (place, other) }
                }
                let from = free.remove(at: best)
                for i in 0..<wide { made[at + i] = g[from + i] }
            }
        }
        return made
    }

    private static func gap(_ w: [Double], _ g: [Double], _ at: Int, _ other: Int, _ wide: Int) -> Double {
        (0..<wide).reduce(0) { $0 + apart(w[at + $1], g[other + $1]) }
    }

    /// |a - b|; zero for equal infinities, and for NaN in both.
    static func apart(_ a: Double, _ b: Double) -> Double {
        a == b || (a.isNaN && b.isNaN) ? 0 : (a - b).magnitude
    }
}
