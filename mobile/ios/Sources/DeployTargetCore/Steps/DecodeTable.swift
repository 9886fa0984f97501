/// Tables: from CSV or JSON to rows of numbers.
///
/// In: bytes in UTF-8. JSON is told by its first sign, "[" or "{": a list of objects, one object, or a
/// list of lists in the order of the columns. Anything else is CSV. Out: float64 [rows, columns], NaN
/// where a value is missing, a category as its place in the list of them. Rows are counted from 1,
/// the header is none.
enum DecodeTable {
    /// The names of a category: numbers where all of them are, else texts.
    private struct Known {
        let names: [String]
        let counted: Bool
        var numbers: [Double: Int] = [:]
        var texts: [Exact: Int] = [:]

        init(_ values: [Json]) {
            names = values.map(DecodeTable.plain)
            counted = values.allSatisfy { if case .text = $0 { return false } else { return true } }
            for (place, value) in values.enumerated() {
                switch value {
                case .text(let text): texts[Exact(text)] = texts[Exact(text)] ?? place
                case .number(let number): numbers[number.value] = numbers[number.value] ?? place
                case .flag(let flag): numbers[flag ? 1 : 0] = numbers[flag ? 1 : 0] ?? place
                default: break
                }
            }
        }
    }

    /// Float64 [rows, columns]. Throws Refused, naming the row and the column.
    static func decoded(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let columns = try options.texts("columns")
        let rows = try Rows.of(value.bytes(), columns, options)
        if rows.isEmpty { throw Refused("the table holds no rows") }
        let most = try options.int("max_rows")
        if rows.count > most {
            throw Refused("the table holds \(rows.count) rows, expected \(most) at most", status: 413)
        }
        let missing = Set(try options.texts("missing").map { Exact($0) })
        let optional = Set(try options.texts("optional").map { Exact($0) })
        let categories = try options.fields("categories")
        let known = try columns.map { categories.lacks($0) ? nil : Known(try categories.list($0)) }
        let unknown = try options.text("unknown")
        var made: [Double] = []
        for (i, row) in rows.enumerated() {
            for (j, cell) in row.enumerated() {
                let where_ = "row \(i + 1), column '\(columns[j])'"
                if absent(cell, missing) {
                    guard optional.contains(Exact(columns[j])) else {
                        throw Refused("\(where_): a value is missing, and this column needs one")
                    }
                    made.append(.nan)
                } else if let known = known[j] {
                    made.append(try place(cell, known, unknown, where_))
                } else {
                    made.append(try number(cell, where_))
                }
            }
        }
        return Tensor([rows.count, columns.count], made)
    }

    private static func absent(_ cell: Json, _ missing: Set<Exact>) -> Bool {
        if case .text(let text) = cell { return missing.contains(Exact(Blanks.strip(text))) }
        return cell == .null
    }

    /// A JSON number or boolean, or a number written out, with blanks around it or not.
    private static func number(_ cell: Json, _ place: String) throws -> Double {
        let value: Double
        switch cell {
        case .number(let number): value = number.value
        case .flag(let flag): value = flag ? 1 : 0
        case .text(let text): value = Written.number(Blanks.strip(text)) ?? .nan
        default: value = .nan
        }
        if value.isFinite { return value }
        throw Refused("\(place): \(Rows.short(cell)) is no number")
    }

    /// A category's place among those known; -1 for another one where that may be.
    private static func place(
        _ cell: Json, _ known: Known, _ unknown: String, _ place: String
    ) throws -> Double {
        let found = known.counted
            ? known.numbers[try number(cell, place)] : name(cell).flatMap { known.texts[Exact($0)] }
        if let found { return Double(found) }
        if unknown == "zeros" { return -1 }
        throw Refused("\(place): \(Rows.short(cell)) is none of \(Rows.listed(known.names))")
    }

    /// A value as a name: a number as Python writes it; a list is nobody's name.
    private static func name(_ cell: Json) -> String? {
        switch cell {
        case .text(let text): return text
        case .flag(let flag): return flag ? "true" : "false"
        case .number(let number): return Written.python(number)
        default: return nil
        }
    }

    static func plain(_ value: Json) -> String {
        if case .text(let text) = value { return text }
        return value.written()
    }
}
