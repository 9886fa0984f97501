@_exported import Foundation

// What of Core Graphics the iOS project uses; CGRect is Foundation's here. Nothing here runs.

public enum CGColorSpaceModel { case unknown, monochrome, rgb, cmyk, lab, deviceN, indexed, pattern, XYZ }

public final class CGColorSpace {
    public var model: CGColorSpaceModel { fatalError() }
}

public func CGColorSpaceCreateDeviceRGB() -> CGColorSpace { fatalError() }

public enum CGImageAlphaInfo: UInt32 { case none, premultipliedLast }

public final class CGImage {
    public var width: Int { fatalError() }
    public var height: Int { fatalError() }
    public var colorSpace: CGColorSpace? { fatalError() }
}

public final class CGContext {
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) { fatalError() }
    public func draw(_ image: CGImage, in rect: CGRect) { fatalError() }
}
