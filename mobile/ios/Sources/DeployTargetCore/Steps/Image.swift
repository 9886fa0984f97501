import Foundation

/// Pixels [height, width, channels] -> the model's tensor: cut out, laid on a ground, scaled, turned.
enum Image {
    /// The middle of the image; where it is too small, zeros around it first.
    static func crop(_ value: Tensor, _ frame: inout Frame, _ options: Fields) throws -> Tensor {
        let (size, sides) = (try options.ints("size"), try self.sides(value))
        let (top, left) = (begin(sides[0], size[0]), begin(sides[1], size[1]))
        moved(&frame, -left, -top)
        return try placed(value, size, top: -top, left: -left, ground: 0)
    }

    private static func begin(_ ours: Int, _ size: Int) -> Int {
        let missing = max(0, size - ours)
        let half = (Double(ours + missing - size) / 2).rounded(.toNearestOrEven)
        return Int(half) - missing / 2
    }

    /// The image on a larger ground, in its middle or in its top left corner. Throws Refused.
    static func pad(_ value: Tensor, _ frame: inout Frame, _ options: Fields) throws -> Tensor {
        let (to, sides) = (try options.ints("to"), try self.sides(value))
        let (down, right) = (to[0] - sides[0], to[1] - sides[1])
        if down < 0 || right < 0 {
            throw Refused(
                "the image is \(sides[1]) x \(sides[0]), larger than \(to[1]) x \(to[0])", status: 413)
        }
        let centre = try options.text("at") == "centre"
        let (top, left) = centre ? (down / 2, right / 2) : (0, 0)
        moved(&frame, left, top)
        let ground = try options.number("value")
        return try placed(value, to, top: top, left: left, ground: ground)
    }

    /// The channels in another order: [2, 1, 0] is BGR.
    static func channels(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let (order, sides) = (try options.ints("order"), try self.sides(value))
        let (bytes, size) = (value.bytes(), value.dtype.size)
        var made: [UInt8] = []
        made.reserveCapacity(sides[0] * sides[1] * order.count * size)
        for pixel in 0..<sides[0] * sides[1] {
            for channel in order {
                let at = (pixel * sides[2] + channel) * size
                made.append(contentsOf: bytes[at..<at + size])
            }
        }
        return Tensor(unchecked: value.dtype, [sides[0], sides[1], order.count], Data(made))
    }

    /// (value * by - mean) / std for each channel, in float32; then as `dtype`.
    static func scale(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let depth = try sides(value)[2]
        let by = Float(try options.number("by"))
        let (mean, std) = (try options.numbers("mean").map(Float.init), try options.numbers("std").map(Float.init))
        var levels = value.floats()
        for channel in 0..<depth {
            let less = mean[mean.count == 1 ? 0 : channel]
            let over = std[std.count == 1 ? 0 : channel]
            for at in stride(from: channel, to: levels.count, by: depth) {
                levels[at] = (levels[at] * by - less) / over
            }
        }
        let dtype = try DType.named(try options.text("dtype"))
        return Tensor(value.shape, levels).cast(to: dtype)
    }

    /// The axes as the model has them: "nchw", "nhwc", "chw" or "hwc"; n is 1.
    static func layout(_ value: Tensor, _ options: Fields) throws -> Tensor {
        _ = try sides(value)
        let order = try options.text("order")
        let laid = order.hasSuffix("chw") ? value.permuted([2, 0, 1]) : value
        return order.hasPrefix("n") ? laid.reshaped([1] + laid.shape) : laid
    }

    /// Each pixel at another place, on a ground of `size`; what lies beyond is left out.
    private static func placed(
        _ value: Tensor, _ size: [Int], top: Int, left: Int, ground: Double
    ) throws -> Tensor {
        let sides = try self.sides(value)
        let one = Tensor([1], [ground]).cast(to: value.dtype).bytes()
        let wide = sides[2] * value.dtype.size
        let given = value.bytes()
        var made = [UInt8](repeating: 0, count: size[0] * size[1] * wide)
        if one.contains(where: { $0 != 0 }) {
            for at in made.indices { made[at] = one[at % one.count] }
        }
        let (from, end) = (max(0, -left), min(sides[1], size[1] - left))
        let rows = max(0, -top)..<max(max(0, -top), min(sides[0], size[0] - top))
        for y in rows where from < end {
            let row = given[(y * sides[1] + from) * wide..<(y * sides[1] + end) * wide]
            let to = ((y + top) * size[1] + from + left) * wide
            made.replaceSubrange(to..<to + row.count, with: row)
        }
        return Tensor(unchecked: value.dtype, [size[0], size[1], sides[2]], Data(made))
    }

    private static func moved(_ frame: inout Frame, _ right: Int, _ down: Int) {
        guard let place = frame.toModel else { return }
        frame.toModel = [place[0], place[1], place[2] + Double(right), place[3] + Double(down)]
    }

    static func sides(_ value: Tensor) throws -> [Int] {
        if value.shape.count == 3 { return value.shape }
        throw WrongUse("an image has three axes, not \(value.shape)")
    }
}
