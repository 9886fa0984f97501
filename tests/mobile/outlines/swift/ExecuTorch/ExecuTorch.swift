// What of ExecuTorch's Swift API the iOS project uses, as ExecuTorch 1.5 declares it, and what has the names of others.
// Nothing here runs.

public enum DataType: Int8 {
    case byte, char, short, int, long, half, float, double, complexHalf, complexFloat, complexDouble, bool
    case uInt16 = 27
    case uInt32, uInt64
}

public enum ShapeDynamism: UInt8 { case `static`, dynamicBound, dynamicUnbound }

public enum ModuleLoadMode: Int { case file, mmap, mmapUseMlock, mmapUseMlockIgnoreErrors }

public struct Error: Swift.Error {}

public final class Tensor<T> {}

public final class AnyTensor {
    public var dataType: DataType { fatalError() }
    public var shape: [Int] { fatalError() }
    public var dimensionOrder: [Int] { fatalError() }
    public convenience init(
        bytes pointer: UnsafeRawPointer, shape: [Int], strides: [Int] = [], dimensionOrder: [Int] = [],
        dataType: DataType, shapeDynamism: ShapeDynamism = .dynamicBound
    ) { fatalError() }
    public func bytes(_ handler: (UnsafeRawPointer, Int, DataType) -> Void) { fatalError() }
}

public final class Value {
    public var anyTensor: AnyTensor? { fatalError() }
}

public protocol ValueConvertible {
    func asValue() -> Value
}

public protocol ValueSequenceConstructible {
    static func from(_ values: [Value]) throws -> Self
}

extension AnyTensor: ValueConvertible {
    public func asValue() -> Value { fatalError() }
}

extension Array: ValueSequenceConstructible where Element == Value {
    public static func from(_ values: [Value]) throws -> [Value] { fatalError() }
}

public class Module {
    public init(filePath: String, loadMode: ModuleLoadMode) {}
    public init(filePath: String) {}
    public func load(_ methodName: String) throws {}
    public func execute(_ method: String, _ inputs: [ValueConvertible]) throws -> [Value] { fatalError() }
    public func execute(_ method: String, _ inputs: ValueConvertible...) throws -> [Value] { fatalError() }
    public func execute<Output: ValueSequenceConstructible>(_ method: String, _ inputs: [ValueConvertible]) throws -> Output { fatalError() }
}
