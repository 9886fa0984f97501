import Foundation

// What of CryptoKit the iOS project uses. Nothing here runs.

public enum SHA256 {
    public static func hash<Bytes: DataProtocol>(data: Bytes) -> [UInt8] { fatalError() }
}
