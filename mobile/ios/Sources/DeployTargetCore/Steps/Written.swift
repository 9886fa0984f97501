import Foundation

/// Numbers in text: which are taken for one, and how Python writes them.
enum Written {
    /// The number of a text; nil for "1_000", "0x10", "1,5", "inf" and other digits than 0 to 9.
    static func number(_ text: String) -> Double? {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == 43 || sign == 45 { rest = rest.dropFirst() }
        let whole = digits(&rest)
        var fraction = 0
        if rest.first == 46 {
            rest = rest.dropFirst()
            fraction = digits(&rest)
        }
        if whole + fraction == 0 { return nil }
        if let letter = rest.first, letter == 101 || letter == 69 {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == 43 || sign == 45 { rest = rest.dropFirst() }
            if digits(&rest) == 0 { return nil }
        }
        return rest.isEmpty ? strtod(text, nil) : nil
    }

    private static func digits(_ rest: inout Substring.UTF8View) -> Int {
        let found = rest.prefix { (48...57).contains($0) }.count
        rest = rest.dropFirst(found)
        return found
    }

    /// A JSON number as Python says it: "5" and "5.0" are two, "1e3" is "1000.0".
    static func python(_ number: Json.Number) -> String {
        if number.whole { return number.text == "-0" ? "0" : number.text }
        let value = number.value
        if !value.isFinite { return value > 0 ? "inf" : "-inf" }
        // Swift's digits are the same, the shortest; where it writes an exponent is not.
        let said = value.description.split(separator: "e")
        let parts = said[0].drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count > 1 && parts[1] != "0" ? String(parts[1]) : ""
        let all = String(parts[0]) + fraction
        let digits = all.drop { $0 == "0" }
        let sign = value.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0.0" }
        let exponent = (said.count > 1 ? Int(said[1]) ?? 0 : 0) + parts[0].count - 1
            - (all.count - digits.count)
        var plain = String(digits)
        while plain.count > 1 && plain.hasSuffix("0") { plain.removeLast() }
        return sign + placed(plain, exponent)
    }

    /// Digits of which the first has that exponent of ten.
    private static func placed(_ digits: String, _ exponent: Int) -> String {
        if exponent < -4 || exponent >= 16 {
            let rest = digits.dropFirst()
            let power = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
            let mantissa = digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
            return mantissa + (exponent < 0 ? "e-" : "e+") + power
        }
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
        let rest = digits.dropFirst(exponent + 1)
        return whole + zeros + "." + (rest.isEmpty ? "0" : rest)
    }
}

/// What Python takes for blank at the ends of a text.
enum Blanks {
    static func strip(_ text: String) -> String {
        var scalars = text.unicodeScalars[...]
        while let first = scalars.first, blank(first) { scalars = scalars.dropFirst() }
        while let last = scalars.last, blank(last) { scalars = scalars.dropLast() }
        return String(scalars)
    }

    private static func blank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 9...13, 28...32, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
            return true
        default: return false
        }
    }
}
