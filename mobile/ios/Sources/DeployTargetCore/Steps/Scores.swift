import Foundation

/// Scores of classes: [rows, classes] in, probabilities, the best few or those above a limit out.
///
/// A score that is no number is worth less than any other, and of equal ones the lower index is first.
enum Scores {
    /// Probabilities that sum to 1 along `axis`, float32.
    static func softmax(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let given = try named(tensors, of)
        let around = try Around(given.shape, try options.int("axis"))
        var powers = given.floats()
        for outer in 0..<around.outer {
            for n in 0..<around.inner {
                let start = outer * around.along * around.inner + n
                let row = stride(from: start, to: start + around.along * around.inner, by: around.inner)
                share(&powers, row)
            }
        }
        tensors[of] = Tensor(given.shape, powers)
    }

    /// One row of logits becomes probabilities, in place.
    private static func share(_ row: inout [Float], _ places: StrideTo<Int>) {
        // NaN is above everything here, so that it reaches the whole row.
        let most = places.reduce(-Float.infinity) { $0.isNaN || row[$1] <= $0 ? $0 : row[$1] }
        var sum: Float = 0
        for at in places {
            row[at] = exp(row[at] - most)
            sum += row[at]
        }
        for at in places { row[at] /= sum }
    }

    /// A probability for each element by itself, float32.
    static func sigmoid(_ tensors: inout [String: Tensor], _ of: String) throws {
        let given = try named(tensors, of)
        tensors[of] = Tensor(given.shape, given.floats().map { 1 / (1 + exp(-$0)) })
    }

    /// The `k` largest of each row: `<of>.scores` float32 and `<of>.indices` int64, [rows, k].
    static func topK(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let given = try named(tensors, of)
        let (scores, around) = (given.floats(), try Around(given.shape, -1))
        let kept = min(try options.int("k"), around.along)
        var (best, indices): ([Float], [Int64]) = ([], [])
        for outer in 0..<around.outer {
            let row = Array(scores[outer * around.along..<(outer + 1) * around.along])
            let order = descending(row).prefix(kept)
            best += order.map { row[$0] }
            indices += order.map { Int64($0) }
        }
        let shape = given.shape.dropLast() + [kept]
        tensors[of] = nil
        tensors["\(of).scores"] = Tensor(Array(shape), best)
        tensors["\(of).indices"] = Tensor(Array(shape), indices)
    }

    /// Scores that are not above `at` become 0, those that are no number too; float32.
    static func threshold(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let (given, limit) = (try named(tensors, of), Float(try options.number("at")))
        tensors[of] = Tensor(given.shape, given.floats().map { $0 > limit ? $0 : 0 })
    }

    /// The order of some scores: largest first, of equal ones the lower index.
    static func descending<Score: FloatingPoint>(_ scores: [Score]) -> [Int] {
        let worth = scores.map { $0.isNaN ? -Score.infinity : $0 }
        return worth.indices.sorted { worth[$0] == worth[$1] ? $0 < $1 : worth[$0] > worth[$1] }
    }
}
