/// float16 by its bits: Swift's own type is missing on some of the machines that an app is built on.
enum Half {
    /// The nearest float16; of two that are as near, the even one.
    static func bits(of value: Double) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        let size = value.magnitude
        if size.isNaN { return sign | 0x7e00 }
        if size >= 65520 { return sign | 0x7c00 }
        if size == 0 { return sign }
        // The distance between two neighbours: of the exponent's, and never below 2^-24.
        let exponent = max(Int(size.exponent), -14)
        let steps = (size * power(10 - exponent)).rounded(.toNearestOrEven)
        // A mantissa that rounds up to 2048 carries into the exponent, as it should.
        return sign | UInt16(Int(steps) + ((exponent + 14) << 10))
    }

    /// What some bits mean.
    static func value(of bits: UInt16) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int((bits >> 10) & 31)
        let mantissa = Double(bits & 1023)
        if exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * mantissa * power(-24) }
        return sign * (1024 + mantissa) * power(exponent - 25)
    }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
