import CoreGraphics
import DeployTargetCore
import Foundation
import ImageIO

/// Photos as Apple's ImageIO decodes them. Orientation, transparency and limits are the core's. How far its JPEG
/// decoder is from Pillow's, nobody has measured yet.
struct PlatformDecoder: ImageDecoder {
    func decode(_ bytes: Data, _ header: PhotoHeader) throws -> Photo {
        guard let source = CGImageSourceCreateWithData(bytes as CFData, nil),
            let image = CGImageSourceCreateImageAtIndex(source, 0, nil)
        else { throw Refused("the photo is damaged, or of a kind that this system does not know") }
        return try photo(of: image)
    }
}

/// The pixels of an image in its own colours: what a camera gives. Throws Refused where they cannot be had.
public func photo(of image: CGImage) throws -> Photo {
    // Drawn in the image's own colour space no level changes; CMYK and what is indexed has to become RGB.
    let own = image.colorSpace.flatMap { [.rgb, .monochrome].contains($0.model) ? $0 : nil }
    let grey = own?.model == .monochrome
    let info = grey ? CGImageAlphaInfo.none : .premultipliedLast
    var levels = [UInt8](repeating: 0, count: image.width * image.height * (grey ? 1 : 4))
    let drawn = levels.withUnsafeMutableBytes { memory -> Bool in
        guard
            let context = CGContext(
                data: memory.baseAddress, width: image.width, height: image.height, bitsPerComponent: 8,
                bytesPerRow: image.width * (grey ? 1 : 4), space: own ?? CGColorSpaceCreateDeviceRGB(),
                bitmapInfo: info.rawValue)
        else { return false }
        context.draw(image, in: CGRect(x: 0, y: 0, width: image.width, height: image.height))
        return true
    }
    if !drawn { throw Refused("the photo's colours are none that this system can draw") }
    return try Photo(width: image.width, height: image.height, rgba: Data(grey ? coloured(levels) : straight(levels)))
}

private func coloured(_ grey: [UInt8]) -> [UInt8] { grey.flatMap { [$0, $0, $0, 255] } }

/// Core Graphics multiplies colours by alpha; the core wants them as they were, as far as 8 bits keep them.
private func straight(_ levels: [UInt8]) -> [UInt8] {
    var found = levels
    for at in stride(from: 0, to: levels.count, by: 4) where 1...254 ~= levels[at + 3] {
        let alpha = Int(levels[at + 3])
        for channel in at..<at + 3 { found[channel] = UInt8(min(255, (Int(levels[channel]) * 255 + alpha / 2) / alpha)) }
    }
    return found
}
