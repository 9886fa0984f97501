/// Which way up a photo is: EXIF's orientation, or XMP's where EXIF has none.
///
/// In: an EXIF block, which is a small TIFF file, and XMP, which is text. Out: 1 to 8, of which 1 is
/// upright. What cannot be read says nothing: the pixels may be sound.
enum Exif {
    private static let tag = 0x0112
    /// Types of whole numbers -> bytes of one, and whether it may be below zero.
    private static let types: [Int: (size: Int, signed: Bool)] = [
        3: (2, false), 4: (4, false), 6: (1, true), 8: (2, true), 9: (4, true),
    ]

    private enum Said {
        case value(Int)
        case nothing
        case noBlock
    }

    static func orientation(_ exif: [UInt8], _ xmp: [UInt8]) -> Int {
        var told = 1
        switch exif.isEmpty ? .nothing : tagged(unnamed(unnamed(exif))) {
        case .value(let value): told = value
        case .noBlock: return 1
        case .nothing: told = written(Bytes(xmp))
        }
        return (1...8).contains(told) ? told : 1
    }

    private static func written(_ xmp: Bytes) -> Int {
        let name = "tiff:Orientation"
        var from = 0
        while let at = xmp.find(Array(name.utf8), from: from) {
            from = at + name.utf8.count
            let skipped = xmp.says("=\"", at: from) ? 2 : xmp.says(">", at: from) ? 1 : 0
            if skipped > 0, let digit = xmp[from + skipped], (48...57).contains(digit) { return digit - 48 }
        }
        return 1
    }

    private static func unnamed(_ block: [UInt8]) -> [UInt8] {
        block.starts(with: "Exif\0\0".utf8) ? Array(block.dropFirst(6)) : block
    }

    private static func tagged(_ all: [UInt8]) -> Said {
        let block = Bytes(all)
        guard block.count >= 8 else { return .noBlock }
        let little = block.says("II")
        guard little || block.says("MM"), block.number(2, 2, little: little) == 42,
            let first = block.number(4, 4, little: little)
        else { return .noBlock }
        guard let entries = block.number(first, 2, little: little) else { return .nothing }
        for entry in 0..<entries {
            let at = first + 2 + 12 * entry
            if at + 12 > block.count { break }
            if block.number(at, 2, little: little) == tag { return .value(value(block, at, little)) }
        }
        return .nothing
    }

    /// The first value of an entry; its four bytes say where the values lie if they hold more.
    private static func value(_ block: Bytes, _ at: Int, _ little: Bool) -> Int {
        guard let kind = block.number(at + 2, 2, little: little), let (size, signed) = types[kind],
            let many = block.number(at + 4, 4, little: little), many > 0
        else { return 1 }
        let from = size * many <= 4 ? at + 8 : block.number(at + 8, 4, little: little) ?? -1
        guard let value = block.number(from, size, little: little) else { return 1 }
        return signed && value >= 1 << (8 * size - 1) ? value - 1 << (8 * size) : value
    }
}
