/// Reads JSON as strictly as its definition: bytes in UTF-8 -> a value.
struct JsonReader {
    /// Objects in lists in objects: beyond, the text means to exhaust the stack.
    private static let deepest = 128

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func whole() throws -> Json {
        let value = try value(0)
        blank()
        if at < bytes.count { throw wrong("there is more after the end") }
        return value
    }

    private var here: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func wrong(_ what: String) -> Json.Wrong {
        Json.Wrong(description: "\(what) (byte \(at + 1))")
    }

    private mutating func blank() {
        while let byte = here, byte == 32 || byte == 10 || byte == 13 || byte == 9 { at += 1 }
    }

    /// Whether a sign stands here; if so, on to behind it.
    private mutating func skip(_ sign: Unicode.Scalar) -> Bool {
        blank()
        guard here == UInt8(ascii: sign) else { return false }
        at += 1
        return true
    }

    private mutating func value(_ depth: Int) throws -> Json {
        if depth > JsonReader.deepest { throw wrong("it is nested too deeply") }
        if skip("[") { return try list(depth) }
        if skip("{") { return try object(depth) }
        switch here {
        case UInt8(ascii: "\"")?: return .text(try text())
        case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return try number()
        default: return try word()
        }
    }

    private mutating func list(_ depth: Int) throws -> Json {
        var values: [Json] = []
        if skip("]") { return .list(values) }
        repeat { values.append(try value(depth + 1)) } while skip(",")
        if !skip("]") { throw wrong("expected \",\" or \"]\"") }
        return .list(values)
    }

    private mutating func object(_ depth: Int) throws -> Json {
        var fields = Fields()
        if skip("}") { return .object(fields) }
        repeat {
            blank()
            let name = try text()
            if !skip(":") { throw wrong("expected \":\"") }
            let value = try value(depth + 1)
            if fields[name] != nil { throw wrong("an object names '\(name)' twice") }
            fields.set(name, value)
        } while skip(",")
        if !skip("}") { throw wrong("expected \",\" or \"}\"") }
        return .object(fields)
    }

    private mutating func number() throws -> Json {
        let start = at
        _ = took(UInt8(ascii: "-"))
        if !took(UInt8(ascii: "0")) { try digits() }
        var whole = true
        if took(UInt8(ascii: ".")) {
            try digits()
            whole = false
        }
        if took(UInt8(ascii: "e")) || took(UInt8(ascii: "E")) {
            if !took(UInt8(ascii: "+")) { _ = took(UInt8(ascii: "-")) }
            try digits()
            whole = false
        }
        return .number(.init(text: String(decoding: bytes[start..<at], as: UTF8.self), whole: whole))
    }

    private mutating func took(_ byte: UInt8) -> Bool {
        if here == byte { at += 1 } else { return false }
        return true
    }

    private mutating func digits() throws {
        let start = at
        while let byte = here, (48...57).contains(byte) { at += 1 }
        if at == start { throw wrong("expected a digit; NaN and Infinity are no JSON") }
    }

    private mutating func word() throws -> Json {
        for (text, value) in [("null", Json.null), ("true", .flag(true)), ("false", .flag(false))]
        where bytes[at...].starts(with: text.utf8) {
            at += text.utf8.count
            return value
        }
        if bytes[at...].starts(with: "NaN".utf8) || bytes[at...].starts(with: "Infinity".utf8) {
            throw wrong("NaN and Infinity are no JSON; send null for what is missing")
        }
        throw wrong("expected a value")
    }

    private mutating func text() throws -> String {
        if here != UInt8(ascii: "\"") { throw wrong("expected a name in quotes") }
        at += 1
        var made: [UInt8] = []
        while let byte = here {
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: made, as: UTF8.self) }
            if byte < 32 { throw wrong("a text in quotes holds a control character") }
            if byte == UInt8(ascii: "\\") {
                try escape(&made)
            } else {
                made.append(byte)
            }
        }
        throw wrong("a text in quotes does not end")
    }

    private static let plain: [UInt8: UInt8] = [
        34: 34, 92: 92, 47: 47, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
        UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]

    private mutating func escape(_ made: inout [UInt8]) throws {
        guard let byte = here else { throw wrong("a text in quotes does not end") }
        at += 1
        if let same = JsonReader.plain[byte] {
            made.append(same)
        } else if byte == UInt8(ascii: "u") {
            made.append(contentsOf: Array(String(try scalar()).utf8))
        } else {
            throw wrong("\"\\\(Unicode.Scalar(byte))\" is no escape in JSON")
        }
    }

    /// A code point, which two escapes may say together. Half of one is none: U+FFFD.
    private mutating func scalar() throws -> Character {
        let first = try hex()
        if (0xd800...0xdbff).contains(first), bytes[at...].starts(with: [92, UInt8(ascii: "u")]) {
            let back = at
            at += 2
            let second = try hex()
            if (0xdc00...0xdfff).contains(second),
                let both = Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            {
                return Character(both)
            }
            at = back
        }
        return Character(Unicode.Scalar(first) ?? "\u{fffd}")
    }

    private mutating func hex() throws -> UInt32 {
        let digits = bytes[at...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw wrong("expected four hexadecimal digits") }
        at += 4
        return value
    }
}
