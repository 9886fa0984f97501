import Foundation

/// Numbers in words: each comes back bit for bit when it is read as the tensor's dtype.
enum Numbers {
    /// The shortest number that is the same in the dtype; a text where JSON has none.
    static func said(_ value: Double, _ dtype: DType) -> Json {
        if value.isNaN { return .text("NaN") }
        if value.isInfinite { return .text(value > 0 ? "Infinity" : "-Infinity") }
        switch dtype {
        case .float32: return .number(.init(text: Float(value).description, whole: false))
        case .float16: return .double(shortestHalf(value))
        default: return .double(value)
        }
    }

    /// All elements, as the numbers that they are in float64.
    static func said(_ tensor: Tensor) -> [Json] {
        switch tensor.dtype {
        case .bool: return tensor.longs().map { .flag($0 != 0) }
        case .uint64:
            return tensor.elements(UInt64.self).map { .number(.init(text: "\($0)", whole: true)) }
        case .float16, .float32, .float64: return tensor.doubles().map { said($0, .float64) }
        default: return tensor.longs().map { .number(.init(text: "\($0)", whole: true)) }
        }
    }

    private static func shortestHalf(_ value: Double) -> Double {
        let bits = Half.bits(of: value)
        // Five digits tell any two of them apart.
        for digits in 1...5 {
            let short = rounded(value, digits)
            if Half.bits(of: short) == bits { return short }
        }
        return value
    }

    private static func rounded(_ value: Double, _ digits: Int) -> Double {
        Double(String(format: "%.\(digits - 1)e", value)) ?? value
    }
}
