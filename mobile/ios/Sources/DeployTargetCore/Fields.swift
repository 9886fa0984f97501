/// The object of a JSON text: typed access, which says what was expected where it is not there.
public struct Fields: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public let name: String
        public let value: Json
    }

    /// In the order in which they are written.
    public private(set) var all: [Field] = []
    private var places: [Exact: Int] = [:]

    public init() {}

    public init(_ pairs: KeyValuePairs<String, Json>) {
        for (name, value) in pairs { set(name, value) }
    }

    public subscript(name: String) -> Json? {
        places[Exact(name)].map { all[$0].value }
    }

    public var names: [String] { all.map(\.name) }

    /// Puts a value under a name, in place of one that is there.
    public mutating func set(_ name: String, _ value: Json) {
        let field = Field(name: name, value: value)
        if let place = places[Exact(name)] {
            all[place] = field
        } else {
            places[Exact(name)] = all.count
            all.append(field)
        }
    }

    public static func == (one: Fields, other: Fields) -> Bool { one.all == other.all }
}

extension Fields {
    public func text(_ name: String) throws -> String {
        if case .text(let value)? = self[name] { return value }
        throw wrong(name, "a text")
    }

    public func int(_ name: String) throws -> Int {
        if case .number(let value)? = self[name] {
            if let exact = Int(value.text) { return exact }
            if let exact = Int(exactly: value.value) { return exact }
        }
        throw wrong(name, "a whole number")
    }

    /// A number, or "inf" where JSON has none.
    public func number(_ name: String) throws -> Double {
        if let value = self[name].flatMap(Fields.double) { return value }
        throw wrong(name, "a number")
    }

    public func flag(_ name: String) throws -> Bool {
        if case .flag(let value)? = self[name] { return value }
        throw wrong(name, "true or false")
    }

    public func list(_ name: String) throws -> [Json] {
        if case .list(let values)? = self[name] { return values }
        throw wrong(name, "a list")
    }

    public func fields(_ name: String) throws -> Fields {
        if case .object(let value)? = self[name] { return value }
        throw wrong(name, "an object")
    }

    /// Whether nothing stands there: no such name, or null.
    public func lacks(_ name: String) -> Bool { self[name] == nil || self[name] == .null }

    public func textOrNil(_ name: String) throws -> String? { lacks(name) ? nil : try text(name) }
    public func intOrNil(_ name: String) throws -> Int? { lacks(name) ? nil : try int(name) }
    public func numberOrNil(_ name: String) throws -> Double? { lacks(name) ? nil : try number(name) }

    public func texts(_ name: String) throws -> [String] {
        try list(name).map { value in
            guard case .text(let text) = value else { throw wrong(name, "texts") }
            return text
        }
    }

    public func ints(_ name: String) throws -> [Int] {
        try list(name).map { value in
            guard case .number(let number) = value, let exact = Int(exactly: number.value) else {
                throw wrong(name, "whole numbers")
            }
            return exact
        }
    }

    public func numbers(_ name: String) throws -> [Double] {
        try list(name).map { value in
            guard let number = Fields.double(value) else { throw wrong(name, "numbers") }
            return number
        }
    }

    public func objects(_ name: String) throws -> [Fields] {
        try list(name).map { value in
            guard case .object(let fields) = value else { throw wrong(name, "objects") }
            return fields
        }
    }

    public func textsOrNil(_ name: String) throws -> [String]? { lacks(name) ? nil : try texts(name) }
    public func intsOrNil(_ name: String) throws -> [Int]? { lacks(name) ? nil : try ints(name) }

    private static func double(_ value: Json) -> Double? {
        switch value {
        case .number(let number): return number.value
        case .text("inf"): return .infinity
        case .text("-inf"): return -.infinity
        case .text("nan"): return .nan
        default: return nil
        }
    }

    private func wrong(_ name: String, _ expected: String) -> BundleDamaged {
        let found = self[name].map { String($0.written().prefix(40)) } ?? "nothing"
        return BundleDamaged("\"\(name)\": expected \(expected), found \(found)")
    }
}
