/// JSON with its numbers as they are written: "5" and "5.0" are two, and no digit is lost. Objects
/// keep their order and name nothing twice. Foundation's reader does neither.
public indirect enum Json: Equatable, Sendable {
    case null
    case flag(Bool)
    case number(Number)
    case text(String)
    case list([Json])
    case object(Fields)

    /// A number as it is written.
    public struct Number: Equatable, Sendable {
        public let text: String
        /// Whether it is written without a fraction and an exponent.
        public let whole: Bool
        public var value: Double { Double(text) ?? .nan }
    }

    /// What is wrong with a text, and where.
    public struct Wrong: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// The value of a text in UTF-8. Throws Wrong.
    public static func read<Bytes: Sequence>(_ bytes: Bytes) throws -> Json where Bytes.Element == UInt8 {
        var reader = JsonReader(Array(bytes))
        return try reader.whole()
    }

    public static func read(_ text: String) throws -> Json { try read(text.utf8) }

    /// A whole number.
    public static func int(_ value: Int) -> Json { .number(Number(text: String(value), whole: true)) }

    /// A finite number; JSON has no others.
    public static func double(_ value: Double) -> Json {
        .number(Number(text: value.description, whole: false))
    }

    /// The text, without blanks.
    public func written() -> String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .flag(let value): text += value ? "true" : "false"
        case .number(let value): text += value.text
        case .text(let value): Json.quote(value, to: &text)
        case .list(let values):
            text += "["
            for (place, value) in values.enumerated() {
                if place > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let fields):
            text += "{"
            for (place, field) in fields.all.enumerated() {
                if place > 0 { text += "," }
                Json.quote(field.name, to: &text)
                text += ":"
                field.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

/// A text by its code points. Swift takes two spellings of "é" for the same; no file means that.
struct Exact: Hashable {
    let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }
}
