import Foundation

/// From a photo to its pixels: uint8 [height, width, 3 or 1].
///
/// What is too large is refused by the head of the file, before a decoder sees it. The decoder is the
/// platform's; which way up, what shows where the photo is clear, and grey are decided here. `frame`
/// learns the photo's size, upright, and where its pixels are in the tensor.
enum DecodeImage {
    /// A JPEG as large as may be has at most so many scans, a smaller one up to 100: each takes as
    /// long as the image is large, and one of a thousand is an attack.
    private static let scans = 30

    /// Red, green and blue as grey, in 65536ths: ITU-R 601-2.
    private static let luma: [UInt32] = [19595, 38470, 7471]

    static func decoded(
        _ value: Tensor, _ frame: inout Frame, _ options: Fields, _ supplied: Supplied
    ) throws -> Tensor {
        let header = try PhotoFile.header(value.data)
        try within(header, value.data, options)
        guard let decoder = supplied.decoder else {
            throw WrongUse("photos are decoded by the platform: give Model a decoder")
        }
        let photo = try decoder.decode(value.data, header)
        guard (photo.width, photo.height) == (header.width, header.height) else {
            throw PhotoFile.damaged("its header says \(header.width) x \(header.height)")
        }
        return try pixels(of: photo, &frame, options, orientation: header.orientation)
    }

    /// From what the camera gives: no file in between.
    static func pixels(
        of photo: Photo, _ frame: inout Frame, _ options: Fields, orientation: Int = 1
    ) throws -> Tensor {
        let turn = try options.text("orientation") == "exif" ? orientation : 1
        var rgba = [UInt8](photo.rgba)
        flatten(&rgba, try options.text("alpha"))
        let colour = try options.text("mode") == "rgb"
        let made = colour ? colours(rgba) : greys(rgba)
        let channels = colour ? 3 : 1
        let upright = turned(made, photo, channels, turn)
        let sides = turn > 4 ? [photo.width, photo.height] : [photo.height, photo.width]
        (frame.size, frame.toModel) = (sides, [1, 1, 0, 0])
        return Tensor(sides + [channels], upright)
    }

    /// Before a single pixel is decoded: the header says how many there would be.
    private static func within(_ header: PhotoHeader, _ data: Data, _ options: Fields) throws {
        let (width, height) = (header.width, header.height)
        let most = try options.int("max_pixels")
        let said = "the image is \(width) x \(height)"
        if width * height > most {
            throw Refused("\(said); at most \(most) pixels are taken", status: 413)
        }
        if let ratio = try options.intOrNil("max_ratio"),
            max(width, height) > ratio * min(width, height)
        {
            throw Refused("\(said); one side may be \(ratio) times the other", status: 413)
        }
        let scans = header.kind == .jpeg ? count(data) : 1
        if scans > 100 || scans * width * height > self.scans * most {
            throw Refused(
                "the image is a JPEG of \(scans) scans; save it anew, not progressive", status: 413)
        }
    }

    private static func count(_ data: Data) -> Int {
        var (scans, before) = (0, UInt8(0))
        for byte in data {
            if before == 0xff && byte == 0xda { scans += 1 }
            before = byte
        }
        return scans
    }

    /// Without transparency, by the rule: what is clear shows the ground, or is as it is.
    private static func flatten(_ rgba: inout [UInt8], _ alpha: String) {
        if alpha == "drop" { return }
        let ground = alpha == "white" ? 255 : 0
        for at in stride(from: 0, to: rgba.count, by: 4) where rgba[at + 3] != 255 {
            let share = Int(rgba[at + 3])
            for channel in at..<at + 3 {
                // A division by 255 in whole numbers, rounded to the nearest.
                let sum = ground * (255 - share) + Int(rgba[channel]) * share + 128
                rgba[channel] = UInt8((sum >> 8 + sum) >> 8)
            }
        }
    }

    private static func colours(_ rgba: [UInt8]) -> [UInt8] {
        var made = [UInt8](repeating: 0, count: rgba.count / 4 * 3)
        for pixel in 0..<rgba.count / 4 {
            for channel in 0..<3 { made[3 * pixel + channel] = rgba[4 * pixel + channel] }
        }
        return made
    }

    private static func greys(_ rgba: [UInt8]) -> [UInt8] {
        (0..<rgba.count / 4).map { pixel in
            let sum = (0..<3).reduce(UInt32(0x8000)) { $0 + luma[$1] * UInt32(rgba[4 * pixel + $1]) }
            return UInt8(sum >> 16)
        }
    }

    /// The photo upright, by EXIF's orientation: 1 as it is, 5 to 8 with its sides exchanged.
    private static func turned(_ pixels: [UInt8], _ photo: Photo, _ channels: Int, _ turn: Int) -> [UInt8] {
        if turn == 1 { return pixels }
        let (start, right, down) = walk(photo.height, photo.width, turn)
        let (tall, wide) = turn > 4 ? (photo.width, photo.height) : (photo.height, photo.width)
        var made: [UInt8] = []
        made.reserveCapacity(pixels.count)
        for y in 0..<tall {
            for x in 0..<wide {
                let from = (start + y * down + x * right) * channels
                for channel in 0..<channels { made.append(pixels[from + channel]) }
            }
        }
        return made
    }

    /// Where the upright photo's first pixel lies in the file, and how far it is to the next one to
    /// the right and to the next one down.
    private static func walk(_ height: Int, _ width: Int, _ turn: Int) -> (Int, Int, Int) {
        let (bottom, right) = ((height - 1) * width, width - 1)
        switch turn {
        case 2: return (right, -1, width)
        case 3: return (bottom + right, -1, -width)
        case 4: return (bottom, 1, -width)
        case 5: return (0, width, 1)
        case 6: return (bottom, -width, 1)
        case 7: return (bottom + right, -width, -1)
        default: return (right, width, -1)
        }
    }
}
