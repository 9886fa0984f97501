/// Boxes: from all that a detector proposes to the few that are meant, on the photo as it was sent.
///
/// A box counts where its score is above the limit and all its corners are finite. One class at a
/// time, the best box is taken and those that overlap it by more than `iou` are left out. Everything
/// is float32 in the order of the reference, down to the same bits.
enum Boxes {
    private struct Rows {
        var data: [Float]
        let rows: Int
        let width: Int

        func columns(_ range: Range<Int>) -> Rows {
            let taken = (0..<rows).flatMap { row -> ArraySlice<Float> in
                self.data[row * width + range.lowerBound..<row * width + range.upperBound]
            }
            return Rows(data: taken, rows: rows, width: range.count)
        }
    }

    /// `<of>` becomes float32 [found, 6]: x1, y1, x2, y2, score, class; best first, at most `max`.
    ///
    /// Of equal scores the lower class is first, then the lower index of the proposal. `layout` "rows"
    /// is [1, proposals, 4], "columns" [1, 4, proposals]; without `scores` they follow the four.
    static func detections(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let boxes = try rows(try named(tensors, of), try options.text("layout"))
        tensors[of] = nil
        var marks: Rows
        if let scores = try options.textOrNil("scores") {
            marks = try rows(try named(tensors, scores), try options.text("scores_layout"))
            tensors[scores] = nil
        } else {
            marks = boxes.columns(4..<boxes.width)
        }
        let corners = try corners(boxes.columns(0..<4).data, options)
        try weigh(&marks, corners, options)
        var found: [[Float]] = []
        for kind in 0..<marks.width {
            for i in try withoutOverlaps(corners, marks, kind, options) {
                found.append(corners[4 * i..<4 * i + 4] + [marks.data[i * marks.width + kind], Float(kind)])
            }
        }
        let order = Scores.descending(found.map { $0[4] }).prefix(try options.int("max"))
        tensors[of] = Tensor([order.count, 6], order.flatMap { found[$0] })
    }

    /// Boxes in pixels of what the model saw -> in pixels of the photo, and within it.
    static func unframe(_ tensors: inout [String: Tensor], _ of: String, _ frame: Frame) throws {
        let given = try named(tensors, of)
        guard let size = frame.size, let place = frame.toModel else {
            throw WrongUse("\"\(of)\" is brought back to a photo, and none was given")
        }
        let edges = [Double(size[1]), Double(size[0])]
        var boxes = given.floats()
        for start in stride(from: 0, to: boxes.count, by: max(1, given.shape[1])) {
            for corner in 0..<4 {
                let moved = (Double(boxes[start + corner]) - place[2 + corner % 2]) / place[corner % 2]
                // NaN stays one, as everywhere.
                let low = moved < 0 ? 0 : moved
                boxes[start + corner] = Float(low > edges[corner % 2] ? edges[corner % 2] : low)
            }
        }
        tensors[of] = Tensor(given.shape, boxes)
    }

    /// [1, …] of one item -> a row for each proposal.
    private static func rows(_ given: Tensor, _ layout: String) throws -> Rows {
        guard given.shape.count == 3, given.shape[0] == 1 else {
            throw WrongUse("boxes are found for one item at a time, not for \(given.shape)")
        }
        let item = given.reshaped(Array(given.shape.dropFirst()))
        let laid = layout == "rows" ? item : item.permuted([1, 0])
        return Rows(data: laid.floats(), rows: laid.shape[0], width: laid.shape[1])
    }

    /// x1, y1, x2, y2 of each proposal.
    private static func corners(_ boxes: [Float], _ options: Fields) throws -> [Float] {
        let (format, unit) = (try options.text("format"), try options.text("unit"))
        let size = unit == "relative" ? try options.intsOrNil("size") : nil
        var corners = boxes
        for at in stride(from: 0, to: corners.count, by: 4) {
            for axis in 0...1 {
                var (first, second) = (corners[at + axis], corners[at + axis + 2])
                if format == "xywh" {
                    second = first + second
                } else if format == "cxcywh" {
                    let half = second * 0.5
                    (first, second) = (first - half, first + half)
                }
                let scale = size.map { Float($0[1 - axis]) } ?? 1
                (corners[at + axis], corners[at + axis + 2]) = (first * scale, second * scale)
            }
        }
        return corners
    }

    /// Writes minus infinity over the scores of what can never be found.
    private static func weigh(_ marks: inout Rows, _ corners: [Float], _ options: Fields) throws {
        let (background, best) = (try options.intOrNil("background"), try options.flag("best"))
        for i in 0..<marks.rows {
            let start = i * marks.width
            let sound = corners[4 * i..<4 * i + 4].allSatisfy(\.isFinite)
            var top = 0
            for kind in 0..<marks.width {
                let mark = marks.data[start + kind]
                if !sound || mark.isNaN || kind == background { marks.data[start + kind] = -.infinity }
                if marks.data[start + kind] > marks.data[start + top] { top = kind }
            }
            for kind in 0..<marks.width where best && kind != top {
                marks.data[start + kind] = -.infinity
            }
        }
    }

    /// Which proposals stay, best first. Equal to the limit is not above it, for both limits.
    private static func withoutOverlaps(
        _ corners: [Float], _ marks: Rows, _ kind: Int, _ options: Fields
    ) throws -> [Int] {
        let (limit, iou) = (Float(try options.number("score")), Float(try options.number("iou")))
        let most = try options.int("max")
        let above = (0..<marks.rows).filter { marks.data[$0 * marks.width + kind] > limit }
        let order = Scores.descending(above.map { marks.data[$0 * marks.width + kind] })
        var left = order.map { above[$0] }
        var kept: [Int] = []
        while let one = left.first, kept.count < most {
            kept.append(one)
            left = left.dropFirst().filter { !(overlap(corners, 4 * one, 4 * $0) > iou) }
        }
        return kept
    }

    /// Intersection over union; 0 where there is no area. Corners may come in either order.
    private static func overlap(_ c: [Float], _ one: Int, _ other: Int) -> Float {
        func side(_ axis: Int) -> (shared: Float, own: Float, others: Float) {
            let (a, b) = (c[one + axis], c[one + axis + 2])
            let (u, v) = (c[other + axis], c[other + axis + 2])
            let shared = min(max(a, b), max(u, v)) - max(min(a, b), min(u, v))
            return (shared, max(a, b) - min(a, b), max(u, v) - min(u, v))
        }
        let (x, y) = (side(0), side(1))
        let common = x.shared * y.shared
        let (area, areas) = (x.own * y.own, x.others * y.others)
        let union = area + areas - common
        let meet = x.shared > 0 && y.shared > 0 && common > 0 && area > 0 && areas > 0 && union > 0
        return meet ? common / union : 0
    }
}
