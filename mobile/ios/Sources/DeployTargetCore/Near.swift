import Foundation

/// Measures how far floats are from the original's, in units of its own noise.
struct Near {
    /// The smallest normal float32; some runtimes flush to zero what is smaller.
    private static let tiny = Double(Float.leastNormalMagnitude)
    /// Slices of fewer elements than this are left to the measure by element.
    private static let few = 8

    private let shape: [Int]
    private let w: [Double]
    private let sigma: [Double]
    private let bound: Bound

    init(want: Tensor, values: [Double], noise: Tensor?, bound: Bound, batch: Int?) {
        (shape, w, self.bound) = (want.shape, values, bound)
        let granted = bound.whole == 0 ? 0 : bound.budget / bound.whole
        let eps = want.dtype == .float64 ? 0x1p-52 : want.dtype == .float16 ? 0x1p-10 : 0x1p-23
        let own = noise?.doubles()
        let scales = granted == 0 ? values : Near.scales(want.shape, values, batch)
        sigma = values.indices.map { i in
            let size = values[i].isFinite ? values[i].magnitude : 0
            // The larger of the two; noise that is no number stays none.
            var base = max(size * eps, Near.tiny)
            if let own, !(own[i] <= base) { base = own[i] }
            return granted == 0 ? base : hypot(base, granted * scales[i])
        }
    }

    func distance(_ g: [Double]) -> Distance {
        let apart = w.indices.map { Compare.apart(w[$0], g[$0]) }
        let ratio = apart.indices.map { apart[$0] / sigma[$0] }
        let out = jumping(apart, ratio)
        let inSlices = apart.indices.map { out[$0] ? 0 : apart[$0] }
        let left = inSlices.map { $0 <= Near.tiny ? 0 : $0 }
        let size = norm(w.map { $0.isFinite ? $0 : 0 })
        let relativeL2 = quotient(norm(left), size)
        let found: [(String, Double, Double)] = [
            ("relative L2", relativeL2, bound.relativeL2),
            ("error over noise", quotient(norm(inSlices), norm(sigma)), bound.whole),
            ("error over noise in a slice", worstSlice(inSlices), bound.part),
            ("error over noise in an element", worst(ratio.indices.map { out[$0] ? 0 : ratio[$0] }),
                bound.element),
        ]
        guard let bad = found.first(where: { !($0.1 <= $0.2) }) else {
            return Distance(relativeL2: relativeL2, reason: "")
        }
        let numbers = String(format: "%.2e, allowed %.2e", bad.1, bad.2)
        return Distance(relativeL2: relativeL2, reason: "\(bad.0) \(numbers)")
    }

    /// The elements that may be left out: those that stray most, as many as may jump as far.
    private func jumping(_ apart: [Double], _ ratio: [Double]) -> [Bool] {
        var out = apart.map { _ in false }
        let count = (bound.jumps * Double(w.count)).rounded(.up)
        guard count > 0 else { return out }
        let may = ratio.indices.filter { ratio[$0] > bound.element && apart[$0] <= bound.jump }
        let first = may.sorted { ratio[$0] == ratio[$1] ? $0 < $1 : ratio[$0] > ratio[$1] }
        for place in first.prefix(Int(min(count, Double(w.count)))) { out[place] = true }
        return out
    }

    /// By which an error is granted: the size of a row or, where that is less, of a column.
    private static func scales(_ shape: [Int], _ w: [Double], _ batch: Int?) -> [Double] {
        let square = w.map { $0.isFinite ? $0 * $0 : 0 }
        if shape.isEmpty { return square.map { $0.squareRoot() } }
        let row = means(shape, square, batch)
        if shape.count == 1 { return row.map { $0.squareRoot() } }
        let column = means(shape, square, shape.count - 1)
        return row.indices.map { i in
            let most = row[i].squareRoot()
            return min(most, max(column[i].squareRoot(), 1e-3 * most))
        }
    }

    /// For each element the mean of the slice that it lies in, along an axis; of all where it is nil.
    private static func means(_ shape: [Int], _ values: [Double], _ axis: Int?) -> [Double] {
        guard let axis else {
            return values.map { [mean = values.reduce(0, +) / Double(values.count)] _ in mean }
        }
        let (along, inner, sums) = slices(shape, values, axis)
        return values.indices.map { i in
            sums[i / inner % along] * Double(along) / Double(values.count)
        }
    }

    /// The sum of each slice along an axis.
    private static func slices(
        _ shape: [Int], _ values: [Double], _ axis: Int
    ) -> (along: Int, inner: Int, sums: [Double]) {
        let (along, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
        var sums = [Double](repeating: 0, count: along)
        for i in values.indices { sums[i / inner % along] += values[i] }
        return (along, inner, sums)
    }

    /// The largest ratio of root mean squares in any slice along any axis.
    private func worstSlice(_ apart: [Double]) -> Double {
        // Squares of what is tiny would vanish, and of what is huge overflow.
        let scale = sigma.reduce(0) { $1 <= $0 ? $0 : $1 }
        let error = apart.map { $0 / scale * ($0 / scale) }
        let own = sigma.map { $0 / scale * ($0 / scale) }
        var found = 0.0
        for axis in shape.indices where shape[axis] > 1 && apart.count / shape[axis] >= Near.few {
            let noise = Near.slices(shape, own, axis).sums
            let errors = Near.slices(shape, error, axis).sums
            let ratios = errors.indices.map { i in
                (errors[i] / max(noise[i], Double.leastNonzeroMagnitude)).squareRoot()
            }
            found = worst([found] + ratios)
        }
        return found
    }

    private func norm(_ values: [Double]) -> Double {
        let most = worst(values.map(\.magnitude))
        guard most > 0, most.isFinite else { return most }
        return most * values.reduce(0) { $0 + $1 / most * ($1 / most) }.squareRoot()
    }

    private func quotient(_ error: Double, _ size: Double) -> Double {
        error == 0 ? 0 : error / size
    }

    /// The largest, and NaN where there is one.
    private func worst(_ values: [Double]) -> Double {
        values.reduce(0) { $0.isNaN || $1 <= $0 ? $0 : $1 }
    }
}
