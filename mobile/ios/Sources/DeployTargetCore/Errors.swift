import Foundation

/// Raw input that cannot be taken: the sender's mistake, in words for the sender.
///
/// `status` is the HTTP status that says the same: 413 too large, 415 another medium, 422 damaged.
public struct Refused: Error, Equatable {
    public let message: String
    public let status: Int

    public init(_ message: String, status: Int = 422) {
        self.message = message
        self.status = status
    }
}

/// A file of the bundle is not what it should be.
public struct BundleDamaged: Error, Equatable {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }
}

/// A programmer's mistake: a wrong name, shape or dtype. It names the field and what was expected.
public struct WrongUse: Error, Equatable {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }
}

extension Refused: LocalizedError, CustomStringConvertible {
    public var errorDescription: String? { message }
    public var description: String { message }
}

extension BundleDamaged: LocalizedError, CustomStringConvertible {
    public var errorDescription: String? { message }
    public var description: String { message }
}

extension WrongUse: LocalizedError, CustomStringConvertible {
    public var errorDescription: String? { message }
    public var description: String { message }
}
