/// Masks: from scores of each pixel to the class of each pixel, on the photo as it was sent.
enum Masks {
    /// Of a pixel: rounding must not decide where a centre lies on the border of two pixels.
    private static let slack = 1e-6

    /// The class of the largest score along `axis`, uint8: of equal ones the lower, NaN never.
    static func argmax(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let given = try named(tensors, of)
        let (scores, around) = (given.floats(), try Around(given.shape, try options.int("axis")))
        var classes = [UInt8](repeating: 0, count: around.outer * around.inner)
        for outer in 0..<around.outer {
            var best = [Float](repeating: -.infinity, count: around.inner)
            for i in 0..<around.along {
                let from = (outer * around.along + i) * around.inner
                for n in 0..<around.inner where scores[from + n] > best[n] {
                    best[n] = scores[from + n]
                    classes[outer * around.inner + n] = UInt8(truncatingIfNeeded: i)
                }
            }
        }
        tensors[of] = Tensor(without(around.at, given.shape), classes)
    }

    /// 1 where the only score along `axis` is above `at`, else 0; uint8.
    static func above(_ tensors: inout [String: Tensor], _ of: String, _ options: Fields) throws {
        let given = try named(tensors, of)
        let around = try Around(given.shape, try options.int("axis"))
        guard around.along == 1 else {
            throw WrongUse("\"\(of)\" has \(around.along) scores of each pixel, not 1")
        }
        let limit = Float(try options.number("at"))
        let mask: [UInt8] = given.floats().map { $0 > limit ? 1 : 0 }
        tensors[of] = Tensor(without(around.at, given.shape), mask)
    }

    private static func without(_ axis: Int, _ shape: [Int]) -> [Int] {
        Array(shape[..<axis] + shape[(axis + 1)...])
    }

    /// [1, h, w] of what the model saw -> [1, height, width] of the photo.
    ///
    /// A pixel takes the class at its own centre, on a border the later one; a pixel that the model
    /// did not see, that of the nearest that it saw. `size` is what the model saw, where the mask is
    /// of another size.
    static func resizeMask(
        _ tensors: inout [String: Tensor], _ of: String, _ frame: Frame, _ options: Fields
    ) throws {
        let mask = try named(tensors, of)
        guard let photo = frame.size, let place = frame.toModel, mask.shape.count == 3 else {
            throw WrongUse("\"\(of)\" is brought back to a photo, and none was given")
        }
        let (have, across) = (mask.shape[1], mask.shape[2])
        let saw = try options.intsOrNil("size") ?? [have, across]
        let rows = nearest(photo[0], place[1], place[3], have, saw[0])
        let columns = nearest(photo[1], place[0], place[2], across, saw[1])
        let given = mask.cast(to: .uint8).bytes()
        var made: [UInt8] = []
        made.reserveCapacity(mask.shape[0] * photo[0] * photo[1])
        for n in 0..<mask.shape[0] {
            for row in rows {
                let start = (n * have + row) * across
                for column in columns { made.append(given[start + column]) }
            }
        }
        let shape = [mask.shape[0], photo[0], photo[1]]
        tensors[of] = Tensor(shape, made).cast(to: mask.dtype)
    }

    private static func nearest(
        _ count: Int, _ by: Double, _ offset: Double, _ have: Int, _ saw: Int
    ) -> [Int] {
        (0..<count).map { i in
            let centre = ((Double(i) + 0.5) * by + offset) * (Double(have) / Double(saw))
            return Int(min(max((centre + slack).rounded(.down), 0), Double(have - 1)))
        }
    }
}
