// What of LiteRT's Swift API the iOS project uses, as LiteRT 2.3 declares it. Nothing here runs.

public enum Accelerator: Int32 {
    case none = 0
    case cpu = 1
    case gpu = 2
    case npu = 4
}

public final class Environment {
    public init() throws {}
}

public final class Options {
    public init() throws {}
    public func setHardwareAccelerators(_ accelerators: Set<Accelerator>) throws {}
}

public final class Model {
    public init(filePath: String, environment: Environment? = nil) throws {}
    public func signatureKeys() throws -> [String] { fatalError() }
}

public final class TensorBuffer {
    public func write<T>(_ data: [T]) throws {}
    public func read<T>() throws -> [T] { fatalError() }
}

public final class CompiledModel {
    public init(environment: Environment, model: Model, options: Options? = nil) throws {}
    public func run(inputs: [TensorBuffer], options: Options? = nil, signatureIndex: Int = 0) throws -> [TensorBuffer] { fatalError() }
    public func createInputBuffers(signatureIndex: Int = 0) throws -> [TensorBuffer] { fatalError() }
    public func inputName(inputIndex: Int, signatureIndex: Int = 0) throws -> String { fatalError() }
    public func outputName(outputIndex: Int, signatureIndex: Int = 0) throws -> String { fatalError() }
    public func isFullyAccelerated() throws -> Bool { fatalError() }
}
