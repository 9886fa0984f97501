import Foundation

/// Pixels as they lie in a file: four bytes each, alpha not multiplied in, not turned by EXIF.
public struct Photo: Equatable, Sendable {
    public let width: Int
    public let height: Int
    public let rgba: Data

    /// Throws WrongUse where the bytes are not as many as the sides say.
    public init(width: Int, height: Int, rgba: Data) throws {
        guard width > 0, height > 0, rgba.count == 4 * width * height else {
            throw WrongUse("\(rgba.count) bytes are no photo of \(width) x \(height) with four each")
        }
        (self.width, self.height, self.rgba) = (width, height, rgba)
    }
}

/// What the head of a file says of the photo in it.
public struct PhotoHeader: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case jpeg = "JPEG"
        case png = "PNG"
        case webp = "WebP"
        case gif = "GIF"
        case bmp = "BMP"
    }

    public let kind: Kind
    public let width: Int
    public let height: Int
    /// EXIF's, 1 to 8: 1 is upright.
    public let orientation: Int
}

/// What decodes photos: ImageIO on Apple's systems.
public protocol ImageDecoder {
    /// The pixels of the first frame, without any profile applied. Throws Refused where the file is
    /// damaged. The head of the file was read before: what is too large never comes here.
    func decode(_ bytes: Data, _ header: PhotoHeader) throws -> Photo
}
