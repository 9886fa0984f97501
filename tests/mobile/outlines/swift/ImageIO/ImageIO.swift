import CoreGraphics
import Foundation

// What of ImageIO the iOS project uses. Nothing here runs.

public final class CFData {}
public final class CFDictionary {}
public final class CGImageSource {}

public func CGImageSourceCreateWithData(_ data: CFData, _ options: CFDictionary?) -> CGImageSource? { fatalError() }
public func CGImageSourceCreateImageAtIndex(_ source: CGImageSource, _ index: Int, _ options: CFDictionary?) -> CGImage? { fatalError() }

/// On Apple's systems a Data is bridged to CFData by `as`.
extension Data {
    public var cf: CFData { fatalError() }
}
