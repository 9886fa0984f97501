/// The rows of a table, each in the order of the columns: from CSV as texts, from JSON as they are.
enum Rows {
    /// In a header, where the table itself does not ask for more.
    private static let mostColumns = 10_000
    private static let names = [",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"]

    static func of(_ bytes: [UInt8], _ columns: [String], _ options: Fields) throws -> [[Json]] {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let body = Array(bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...])
        guard let text = String(validatingUTF8: body.map { CChar(bitPattern: $0) } + [0]),
            text.utf8.count == body.count
        else {
            if body.contains(0), String(decoding: body, as: UTF8.self).utf8.elementsEqual(body) {
                return try rows(body, String(decoding: body, as: UTF8.self), columns, options)
            }
            throw Refused("this is no text in UTF-8; send CSV or JSON", status: 415)
        }
        return try rows(body, text, columns, options)
    }

    private static func rows(
        _ body: [UInt8], _ text: String, _ columns: [String], _ options: Fields
    ) throws -> [[Json]] {
        guard let first = Blanks.strip(text).unicodeScalars.first else {
            throw Refused("the body is empty; send CSV or JSON")
        }
        let refuse = try options.text("extra") == "refuse"
        if first == "[" || first == "{" {
            return try json(Blanks.strip(text), columns, refuse)
        }
        return try csv(body, columns, refuse, options)
    }

    private static func csv(
        _ body: [UInt8], _ columns: [String], _ refuse: Bool, _ options: Fields
    ) throws -> [[Json]] {
        let delimiter = try options.text("delimiter")
        var lines: [[String]]
        do {
            lines = try Csv.read(body, Array(delimiter.utf8))
        } catch let error as Csv.Wrong {
            throw Refused("the CSV cannot be read: \(error.description)")
        }
        var names = columns
        if try options.flag("header") {
            names = lines.isEmpty ? [] : lines.removeFirst().map(Blanks.strip)
            if names.count == 1 && columns.count > 1 {
                let apart = self.names[delimiter] ?? "'\(delimiter)'"
                throw Refused(
                    "the header names one column, \(short(.text(names[0]))); expected columns set "
                        + "apart by \(apart)")
            }
        }
        let at = try places(names, columns, refuse)
        for (i, line) in lines.enumerated() where line.count != names.count {
            throw Refused("row \(i + 1) has \(line.count) values, expected \(names.count)")
        }
        return lines.map { line in at.map { .text(line[$0]) } }
    }

    /// Where each column lies.
    private static func places(_ names: [String], _ columns: [String], _ refuse: Bool) throws -> [Int] {
        let most = max(mostColumns, columns.count)
        if names.count > most {
            throw Refused(
                "the header names \(names.count) columns, expected \(most) at most", status: 413)
        }
        var at: [Exact: Int] = [:]
        for (place, name) in names.enumerated() {
            if at.updateValue(place, forKey: Exact(name)) != nil {
                throw Refused("the header names column \(short(.text(name))) twice")
            }
        }
        let found = try columns.map { name -> Int in
            if let place = at[Exact(name)] { return place }
            throw Refused("the header has no column '\(name)'; it has \(listed(names))")
        }
        if refuse { try refuseMore("the header", names, columns) }
        return found
    }

    private static func json(_ text: String, _ columns: [String], _ refuse: Bool) throws -> [[Json]] {
        let found: Json
        do {
            found = try Json.read(text)
        } catch let error as Json.Wrong {
            throw Refused("the JSON cannot be read: \(error.description)")
        }
        var rows = [found]
        if case .list(let several) = found { rows = several }
        return try rows.enumerated().map { place, row in
            switch row {
            case .object(let fields):
                if refuse { try refuseMore("row \(place + 1)", fields.names, columns) }
                return columns.map { fields[$0] ?? .null }
            case .list(let values) where values.count == columns.count: return values
            case .list(let values):
                throw Refused("row \(place + 1) has \(values.count) values, expected \(columns.count)")
            default:
                throw Refused(
                    "row \(place + 1) is no object and no list, as in [{...}, ...] or [[...], ...]")
            }
        }
    }

    private static func refuseMore(_ place: String, _ names: [String], _ columns: [String]) throws {
        let asked = Set(columns.map(Exact.init))
        if let odd = names.first(where: { !asked.contains(Exact($0)) }) {
            throw Refused(
                "\(place) has a column \(short(.text(odd))), which is not among those expected")
        }
    }

    static func listed(_ names: [String]) -> String {
        let said = names.joined(separator: ", ")
        return said.count <= 120 ? said : said.prefix(117) + "..."
    }

    /// A value in a message.
    static func short(_ cell: Json) -> String {
        let said: String
        switch cell {
        case .text(let text): said = "'\(text)'"
        case .object: said = "an object"
        case .list: said = "a list"
        default: said = cell.written()
        }
        return said.count <= 40 ? said : said.prefix(37) + "..."
    }
}
