import Foundation

/// A PNG with a palette; the values of its pixels are the classes.
enum Png {
    /// `pixels` are [height, width], of which each is a place in `colours`.
    static func written(_ pixels: [UInt8], _ height: Int, _ width: Int, _ colours: [[Int]]) -> Data {
        var rows: [UInt8] = []
        rows.reserveCapacity(height * (width + 1))
        for y in 0..<height {
            // Each row begins with how it is filtered: not at all.
            rows.append(0)
            rows += pixels[y * width..<(y + 1) * width]
        }
        let palette = colours.flatMap { $0.map { UInt8(truncatingIfNeeded: $0) } }
        var file = Data([137, 80, 78, 71, 13, 10, 26, 10])
        // 8 bits, a palette; the only way to compress, to filter, and not interlaced.
        file.append(chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, 3, 0, 0, 0]))
        file.append(chunk("PLTE", palette))
        file.append(chunk("IDAT", Deflate.zlib(rows, line: width + 1)))
        file.append(chunk("IEND", []))
        return file
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> Data {
        let named = Array(name.utf8) + data
        return Data(bigEndian(data.count) + named + bigEndian(Int(crc(named))))
    }

    /// Of each byte, for the checksum of a chunk.
    private static let table = (0..<256).map { byte -> UInt32 in
        (0..<8).reduce(UInt32(byte)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
        }
    }

    static func crc<Several: Sequence>(_ data: Several) -> UInt32 where Several.Element == UInt8 {
        var value: UInt32 = 0xffff_ffff
        for byte in data { value = value >> 8 ^ table[Int((value ^ UInt32(byte)) & 255)] }
        return ~value
    }

    static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
