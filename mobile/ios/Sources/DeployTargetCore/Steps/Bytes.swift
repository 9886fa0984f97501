/// Numbers and names within the bytes of a file. What lies beyond their end is nil.
struct Bytes {
    let all: ArraySlice<UInt8>

    init<Several: Collection>(_ bytes: Several) where Several.Element == UInt8 {
        all = ArraySlice(Array(bytes))
    }

    var count: Int { all.count }

    subscript(at: Int) -> Int? { at >= 0 && at < count ? Int(all[at]) : nil }

    /// So many bytes from there on, as far as they are there.
    func part(_ from: Int, _ to: Int) -> ArraySlice<UInt8> {
        let end = min(max(to, 0), count)
        return all[min(max(from, 0), end)..<end]
    }

    func little(_ at: Int, _ size: Int) -> Int? {
        guard at >= 0, at <= count - size else { return nil }
        return all[at..<at + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func big(_ at: Int, _ size: Int) -> Int? {
        guard at >= 0, at <= count - size else { return nil }
        return all[at..<at + size].reduce(0) { $0 << 8 | Int($1) }
    }

    func number(_ at: Int, _ size: Int, little: Bool) -> Int? {
        little ? self.little(at, size) : big(at, size)
    }

    /// Whether a text in ASCII stands there.
    func says(_ text: String, at: Int = 0) -> Bool {
        part(at, at + text.utf8.count).elementsEqual(text.utf8)
    }

    /// Where some bytes first are, from there on.
    func find(_ text: [UInt8], from: Int = 0) -> Int? {
        guard let first = text.first else { return nil }
        var at = from
        while at <= count - text.count {
            if all[at] == first, all[at..<at + text.count].elementsEqual(text) { return at }
            at += 1
        }
        return nil
    }
}
