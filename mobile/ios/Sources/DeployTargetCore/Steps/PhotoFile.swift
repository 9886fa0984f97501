import Foundation

/// What a photo's file says before a pixel is decoded: its kind, its size, which way up it is.
///
/// In: bytes from anybody. Refused: 415 where the bytes are no image of these kinds, 422 where the
/// header cannot be read or the pixels are cut off, which not every decoder minds.
enum PhotoFile {
    /// Far beyond what a device holds in memory, whatever is allowed.
    private static let most = 178_956_970

    private struct Said {
        var width = 0
        var height = 0
        var exif: [UInt8] = []
        var xmp: [UInt8] = []
    }

    static func header(_ data: Data) throws -> PhotoHeader {
        let bytes = Bytes(data)
        let (kind, said) = try read(bytes)
        guard said.width > 0, said.height > 0 else { throw unreadable }
        try bounded(said.width, said.height)
        return PhotoHeader(
            kind: kind, width: said.width, height: said.height,
            orientation: Exif.orientation(said.exif, said.xmp))
    }

    /// Two sides of four bytes each may be more than Swift can multiply.
    private static func bounded(_ width: Int, _ height: Int) throws {
        if width > most || height > most || width * height > most {
            throw Refused("the image has far too many pixels", status: 413)
        }
    }

    static func damaged(_ what: String) -> Refused {
        Refused("the image is cut off or damaged: \(what)")
    }

    private static let unreadable = damaged("its header cannot be read")
    private static let cutOff = damaged("its pixels are cut off")

    private static func read(_ bytes: Bytes) throws -> (PhotoHeader.Kind, Said) {
        if bytes.part(0, 2).elementsEqual([0xff, 0xd8]) { return (.jpeg, try jpeg(bytes)) }
        if bytes[0] == 0x89 && bytes.says("PNG", at: 1) { return (.png, try png(bytes)) }
        if bytes.says("RIFF") && bytes.says("WEBP", at: 8) { return (.webp, try webp(bytes)) }
        if bytes.says("GIF8") { return (.gif, try gif(bytes)) }
        if bytes.says("BM") { return (.bmp, try bmp(bytes)) }
        throw Refused(
            "these bytes are no image that is known here: JPEG, PNG, WEBP, GIF, BMP", status: 415)
    }

    /// Segments up to the first scan. EXIF that is too long for one goes on in the next.
    private static func jpeg(_ bytes: Bytes) throws -> Said {
        let xmp = "http://ns.adobe.com/xap/1.0/\0"
        var said = Said()
        var at = 2
        while true {
            while let byte = bytes[at], byte != 0xff { at += 1 }
            while bytes[at] == 0xff { at += 1 }
            guard let marker = bytes[at] else { throw unreadable }
            if marker == 0xda || marker == 0xd9 {
                guard bytes.find([0xff, 0xd9], from: at - 1) != nil else { throw cutOff }
                return said
            }
            if marker == 0 || marker == 1 || (0xd0...0xd8).contains(marker) { continue }
            guard let size = bytes.big(at + 1, 2), size >= 2 else { throw unreadable }
            let (start, end) = (at + 3, at + 1 + size)
            if (0xc0...0xcf).contains(marker) && ![0xc4, 0xc8, 0xcc].contains(marker) {
                (said.height, said.width) = (bytes.big(at + 4, 2) ?? 0, bytes.big(at + 6, 2) ?? 0)
            }
            if marker == 0xe1 && bytes.says("Exif\0\0", at: start) {
                said.exif += bytes.part(start + 6, end)
            } else if marker == 0xe1 && bytes.says(xmp, at: start) {
                said.xmp = Array(bytes.part(start + xmp.utf8.count, end))
            }
            at = end
        }
    }

    private static func png(_ bytes: Bytes) throws -> Said {
        guard bytes.says("IHDR", at: 12), let long = bytes.big(8, 4), long >= 13,
            let width = bytes.big(16, 4), let height = bytes.big(20, 4)
        else { throw unreadable }
        var said = Said(width: width, height: height)
        var (at, pixels) = (8, false)
        while let size = bytes.big(at, 4), at + 8 <= bytes.count {
            let end = at + 8 + size
            if bytes.says("IDAT", at: at + 4) { pixels = true }
            // What is cut off after the pixels began may still have all that is needed of them.
            if end + 4 > bytes.count && !pixels { throw damaged("its header is cut off") }
            if !pixels && bytes.big(end, 4) != Int(Png.crc(bytes.part(at + 4, end))) {
                throw damaged("the check sum of a part before its pixels is wrong")
            }
            let body = bytes.part(at + 8, end)
            if bytes.says("eXIf", at: at + 4) { said.exif = Array(body) }
            if bytes.says("iTXt", at: at + 4), Bytes(body).says("XML:com.adobe.xmp\0\0") {
                said.xmp = Array(body)
            }
            if bytes.says("IEND", at: at + 4) { break }
            at = end + 4
        }
        return said
    }

    private static func webp(_ bytes: Bytes) throws -> Said {
        var said = Said()
        let end = min(bytes.count, 8 + (bytes.little(4, 4) ?? 0))
        var at = 12
        while at + 8 <= end, let size = bytes.little(at + 4, 4) {
            let next = at + 8 + size
            if said.width == 0 { try webpSize(bytes, at, &said) }
            if bytes.says("EXIF", at: at) && said.exif.isEmpty { said.exif = Array(bytes.part(at + 8, next)) }
            if bytes.says("XMP ", at: at) && said.xmp.isEmpty { said.xmp = Array(bytes.part(at + 8, next)) }
            at = next + next % 2
        }
        return said
    }

    private static func webpSize(_ bytes: Bytes, _ at: Int, _ said: inout Said) throws {
        let start = at + 8
        if bytes.says("VP8X", at: at) {
            guard let wide = bytes.little(start + 4, 3), let tall = bytes.little(start + 7, 3) else {
                throw unreadable
            }
            (said.width, said.height) = (wide + 1, tall + 1)
        } else if bytes.says("VP8L", at: at) {
            guard let bits = bytes.little(start + 1, 4) else { throw unreadable }
            (said.width, said.height) = (bits & 0x3fff + 1, bits >> 14 & 0x3fff + 1)
        } else if bytes.says("VP8 ", at: at) {
            guard let wide = bytes.little(start + 6, 2), let tall = bytes.little(start + 8, 2) else {
                throw unreadable
            }
            (said.width, said.height) = (wide & 0x3fff, tall & 0x3fff)
        }
    }

    private static func gif(_ bytes: Bytes) throws -> Said {
        guard let width = bytes.little(6, 2), let height = bytes.little(8, 2) else { throw unreadable }
        return Said(width: width, height: height)
    }

    private static func bmp(_ bytes: Bytes) throws -> Said {
        let old = bytes.little(14, 4) == 12
        let size = old ? 2 : 4
        guard let wide = bytes.little(18, size), let tall = bytes.little(18 + size, size),
            let bits = bytes.little(old ? 24 : 28, 2), let start = bytes.little(10, 4)
        else { throw unreadable }
        // A height below zero: the rows begin at the top.
        let height = old ? tall : Int(Int32(truncatingIfNeeded: tall).magnitude)
        let width = old ? wide : Int(Int32(truncatingIfNeeded: wide))
        let packed = !old && [1, 2].contains(bytes.little(30, 4) ?? 0)
        guard width > 0 else { throw unreadable }
        try bounded(width, height)
        if !packed && start + (width * bits + 31) / 32 * 4 * height > bytes.count { throw cutOff }
        return Said(width: width, height: height)
    }
}
