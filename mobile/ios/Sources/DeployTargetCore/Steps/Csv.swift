/// CSV, read as strictly as Python's csv module with `strict`: bytes in UTF-8 -> rows of text.
///
/// A quote counts at the beginning of a value alone; two of them inside are one. Rows end with CR, LF
/// or both. Blank lines are no rows.
struct Csv {
    struct Wrong: Error {
        let description: String
    }

    /// What a value may have: Python's limit, in code points.
    private static let longest = 131_072
    private static let quote = UInt8(ascii: "\"")

    private let bytes: [UInt8]
    private let delimiter: [UInt8]
    private var at = 0

    /// The rows. Throws Wrong, which says what cannot be read.
    static func read(_ bytes: [UInt8], _ delimiter: [UInt8]) throws -> [[String]] {
        var reader = Csv(bytes: bytes, delimiter: delimiter)
        return try reader.rows()
    }

    private init(bytes: [UInt8], delimiter: [UInt8]) {
        (self.bytes, self.delimiter) = (bytes, delimiter)
    }

    private mutating func rows() throws -> [[String]] {
        var (rows, row): ([[String]], [String]) = ([], [])
        while at < bytes.count {
            if row.isEmpty && ends(at) {
                at += 1
                continue
            }
            row.append(try bytes[at] == Csv.quote ? quoted() : bare())
            if between(at) {
                at += delimiter.count
                // A delimiter before the end of the line or of the text stands before an empty value.
                if at < bytes.count && !ends(at) { continue }
                row.append("")
            }
            rows.append(row)
            row = []
            at += 1
        }
        return rows
    }

    private func ends(_ place: Int) -> Bool { bytes[place] == 10 || bytes[place] == 13 }

    private func between(_ place: Int) -> Bool { bytes[place...].starts(with: delimiter) && place < bytes.count }

    /// A value without quotes: until the delimiter or the end of the line.
    private mutating func bare() throws -> String {
        let start = at
        while at < bytes.count && !ends(at) && !between(at) { at += 1 }
        return try value(bytes[start..<at])
    }

    /// The same for one in quotes.
    private mutating func quoted() throws -> String {
        var made: [UInt8] = []
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte != Csv.quote {
                made.append(byte)
            } else if at < bytes.count && bytes[at] == Csv.quote {
                made.append(byte)
                at += 1
            } else if at >= bytes.count || ends(at) || between(at) {
                return try value(made[...])
            } else {
                let expected = String(decoding: delimiter, as: UTF8.self)
                throw Wrong(description: "after a quote that ends there is no \"\(expected)\"")
            }
        }
        throw Wrong(description: "a quote does not end")
    }

    private func value(_ bytes: ArraySlice<UInt8>) throws -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.unicodeScalars.count > Csv.longest {
            throw Wrong(description: "a value is longer than \(Csv.longest) characters")
        }
        return text
    }
}
