import Foundation

/// A declared step around the model: which tensor, which operation, with which options.
public struct Step: Sendable {
    public let op: String
    public let of: String
    public let options: Fields

    init(_ said: Fields) throws {
        op = try said.text("op")
        of = try said.textOrNil("of") ?? ""
        options = try said.fields("options")
    }
}

/// An input that is given as a file.
public struct RawInput: Sendable {
    /// The content types that it may have.
    public let media: [String]
    public let host: [Step]
}

/// steps.json: what stands around the model, from raw bytes to the answer.
public struct Steps: Sendable {
    public static let fileName = "steps.json"

    public let inputs: [String: RawInput]
    /// Behind the model.
    public let host: [Step]
    /// The tensors of the answer.
    public let gives: [String]
    /// One request is one item: an axis of 1 in front of an answer says nothing.
    public let single: Bool

    /// Throws BundleDamaged where it is no such file, or leaves steps to a graph.
    public init(_ file: Data) throws {
        guard case .object(let said)? = try? Json.read(file) else {
            throw BundleDamaged("\(Steps.fileName) cannot be read")
        }
        var inputs: [String: RawInput] = [:]
        for name in try said.fields("inputs").names {
            let one = try said.fields("inputs").fields(name)
            try Steps.refuseGraph(one)
            let host = try one.objects("host").map(Step.init)
            inputs[name] = RawInput(media: try one.texts("media"), host: host)
        }
        try Steps.refuseGraph(said)
        self.inputs = inputs
        host = try said.objects("host").map(Step.init)
        gives = try said.objects("gives").map { try $0.text("name") }
        single = try said.flag("single")
        for op in (inputs.values.flatMap(\.host) + host).map(\.op) where !Operations.names.contains(op) {
            throw BundleDamaged("\(Steps.fileName) asks for \"\(op)\", which this code does not have")
        }
    }

    private static func refuseGraph(_ said: Fields) throws {
        guard let graph = try said.textOrNil("graph") else { return }
        throw BundleDamaged("\(fileName) leaves steps to \(graph), which nothing here can run")
    }
}

/// What a later step must know of an earlier one.
public struct Frame: Equatable, Sendable {
    /// Of a photo, upright: height and width.
    public var size: [Int]?
    /// [sx, sy, ox, oy]: a place in the photo is x * sx + ox, y * sy + oy in the tensor.
    public var toModel: [Double]?
    /// Samples a second of a recording.
    public var rate: Int?

    public init() {}
}
