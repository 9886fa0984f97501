/// Text: from scores of each step in time to the tokens that were said.
enum Text {
    /// The best token of each step, repeats once, blanks never: int64 [tokens].
    ///
    /// `time` is the axis of time, 1 in [1, steps, tokens] and 0 in [steps, 1, tokens]. Of equal scores
    /// the lower token is taken; one that is no number is worth less than any other.
    static func ctc(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let (given, blank) = (try named(tensors, of), try options.int("blank"))
        let items = try Around(given.shape, 1 - (try options.int("time"))).along
        guard items == 1 else { throw WrongUse("text is read from one item, not from \(items)") }
        let (scores, around) = (given.floats(), try Around(given.shape, -1))
        var said: [Int64] = []
        var before = -1
        for step in 0..<around.outer {
            let token = best(scores[step * around.along..<(step + 1) * around.along])
            if token != before && token != blank { said.append(Int64(token)) }
            before = token
        }
        tensors[of] = Tensor([said.count], said)
    }

    /// The place of the largest score, the first of equal ones.
    private static func best(_ scores: ArraySlice<Float>) -> Int {
        var (found, most) = (0, -Float.infinity)
        for (place, score) in scores.enumerated() where score > most { (found, most) = (place, score) }
        return found
    }
}
