/// The compression of PNG, for masks: large areas of one class, and rows like the one above.
///
/// With the codes that are fixed in the format. A match is looked for in two places, the byte before
/// and the row above: that is where a mask repeats itself.
struct Deflate {
    private static let (longest, furthest) = (258, 32_768)
    /// Shorter ones cost more than the bytes themselves.
    private static let shortest = 4

    private var made: [UInt8] = [0x78, 0x01]
    private var held: UInt32 = 0
    private var bits = 0

    /// In the form of zlib. `line`: how many bytes a row has.
    static func zlib(_ data: [UInt8], line: Int) -> [UInt8] {
        var writer = Deflate()
        // The last block, with fixed codes.
        writer.put(0b011, 3)
        writer.body(data, line)
        writer.literal(256)
        writer.put(0, 7)
        return writer.made + Png.bigEndian(Int(adler(data)))
    }

    private mutating func body(_ data: [UInt8], _ line: Int) {
        var at = 0
        while at < data.count {
            let before = Deflate.same(data, at, 1)
            let above = line <= Deflate.furthest ? Deflate.same(data, at, line) : 0
            let long = max(before, above)
            if long < Deflate.shortest {
                literal(Int(data[at]))
                at += 1
            } else {
                match(long, before >= above ? 1 : line)
                at += long
            }
        }
    }

    /// How many bytes are as those so far before them.
    private static func same(_ data: [UInt8], _ at: Int, _ distance: Int) -> Int {
        if distance > at { return 0 }
        let most = min(longest, data.count - at)
        var long = 0
        while long < most && data[at + long] == data[at + long - distance] { long += 1 }
        return long
    }

    private mutating func literal(_ code: Int) {
        switch code {
        case ..<144: put(Deflate.turned(0x30 + code, 8), 8)
        case ..<256: put(Deflate.turned(0x190 + code - 144, 9), 9)
        case ..<280: put(Deflate.turned(code - 256, 7), 7)
        default: put(Deflate.turned(0xc0 + code - 280, 8), 8)
        }
    }

    /// Both are a code for where a power of two is parted, and more bits for the place within.
    private mutating func match(_ long: Int, _ distance: Int) {
        if long == Deflate.longest {
            literal(285)
        } else {
            let (code, extra, rest) = Deflate.parted(long - 3, 4)
            literal(257 + code)
            put(rest, extra)
        }
        let (code, extra, rest) = Deflate.parted(distance - 1, 2)
        put(Deflate.turned(code, 5), 5)
        put(rest, extra)
    }

    private static func parted(_ value: Int, _ parts: Int) -> (code: Int, extra: Int, rest: Int) {
        var (extra, top) = (0, value)
        while top >= 2 * parts {
            top >>= 1
            extra += 1
        }
        return (extra * parts + top, extra, value & (1 << extra - 1))
    }

    /// Codes are written from their highest bit, everything else from its lowest.
    private static func turned(_ code: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 << 1 | code >> $1 & 1 }
    }

    private mutating func put(_ value: Int, _ count: Int) {
        held |= UInt32(value) << UInt32(bits)
        bits += count
        while bits >= 8 {
            made.append(UInt8(truncatingIfNeeded: held))
            held >>= 8
            bits -= 8
        }
    }

    private static func adler(_ data: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }
}
