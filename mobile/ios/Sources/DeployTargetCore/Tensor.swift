import Foundation

/// What the elements of a tensor are, by NumPy's names.
public enum DType: String, CaseIterable, Sendable {
    case float32, float64, float16, bool, uint8, int8, uint16, int16, uint32, int32, uint64, int64

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8: return 1
        case .float16, .uint16, .int16: return 2
        case .float32, .uint32, .int32: return 4
        case .float64, .uint64, .int64: return 8
        }
    }

    public var isFloat: Bool { self == .float32 || self == .float64 || self == .float16 }

    /// The dtype of that name. Throws WrongUse where there is none.
    public static func named(_ name: String) throws -> DType {
        if let found = DType(rawValue: name) { return found }
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        throw WrongUse("no dtype is named \"\(name)\"; expected one of \(known)")
    }

    /// What whole numbers it holds; nil for floats.
    var limits: ClosedRange<Double>? {
        switch self {
        case .bool: return 0...1
        case .uint8: return 0...255
        case .int8: return -128...127
        case .uint16: return 0...65535
        case .int16: return -32768...32767
        case .uint32: return 0...4_294_967_295
        case .int32: return -2_147_483_648...2_147_483_647
        // The doubles that are next to 2^64 and 2^63, from below.
        case .uint64: return 0...0x1.fffffffffffffp63
        case .int64: return -0x1p63...0x1.fffffffffffffp62
        case .float16, .float32, .float64: return nil
        }
    }
}

/// Numbers in a shape: little endian, the last axis the nearest. Never changed once it is made.
public struct Tensor: Equatable, Sendable {
    public let dtype: DType
    public let shape: [Int]
    public let data: Data

    /// Throws WrongUse where the bytes are not as many as the shape says.
    public init(dtype: DType, shape: [Int], data: Data) throws {
        guard shape.allSatisfy({ $0 >= 0 }), let size = Tensor.bytes(dtype, shape), size == data.count
        else {
            throw WrongUse("\(data.count) bytes are no \(dtype.rawValue) of shape \(shape)")
        }
        (self.dtype, self.shape, self.data) = (dtype, shape, data)
    }

    /// How many elements there are.
    public var count: Int { shape.reduce(1, *) }

    /// How many bytes such a tensor takes; nil where no machine could hold it.
    static func bytes(_ dtype: DType, _ shape: [Int]) -> Int? {
        var size = dtype.size
        for along in shape {
            let (product, over) = size.multipliedReportingOverflow(by: along)
            if over { return nil }
            size = product
        }
        return size
    }
}

extension Tensor {
    /// Made here, so that the elements are as many as the shape says.
    init<Element>(_ dtype: DType, _ shape: [Int], holding values: [Element]) {
        precondition(MemoryLayout<Element>.size == dtype.size)
        precondition(values.count == shape.reduce(1, *), "\(values.count) elements for \(shape)")
        (self.dtype, self.shape) = (dtype, shape)
        data = values.withUnsafeBytes { Data($0) }
    }

    public init(_ shape: [Int], _ values: [Float]) { self.init(.float32, shape, holding: values) }
    public init(_ shape: [Int], _ values: [Double]) { self.init(.float64, shape, holding: values) }
    public init(_ shape: [Int], _ values: [Int32]) { self.init(.int32, shape, holding: values) }
    public init(_ shape: [Int], _ values: [Int64]) { self.init(.int64, shape, holding: values) }
    public init(_ shape: [Int], _ values: [UInt8]) { self.init(.uint8, shape, holding: values) }

    /// The bytes of a file, as raw input.
    public init(bytes: Data) {
        (dtype, shape, data) = (.uint8, [bytes.count], bytes)
    }

    /// Another shape for the same elements.
    func reshaped(_ shape: [Int]) -> Tensor {
        Tensor(unchecked: dtype, shape, data)
    }

    init(unchecked dtype: DType, _ shape: [Int], _ data: Data) {
        precondition(Tensor.bytes(dtype, shape) == data.count, "\(data.count) bytes for \(shape)")
        (self.dtype, self.shape, self.data) = (dtype, shape, data)
    }
}

extension Tensor {
    /// The elements as they lie there. A slice of a file may begin at an odd place: they are copied.
    func elements<Element>(_: Element.Type = Element.self) -> [Element] {
        let count = data.count / MemoryLayout<Element>.size
        return [Element](unsafeUninitializedCapacity: count) { buffer, made in
            data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            made = count
        }
    }

    /// The raw bytes.
    public func bytes() -> [UInt8] { [UInt8](data) }

    /// The values as float32.
    public func floats() -> [Float] {
        switch dtype {
        case .float32: return elements()
        case .float64: return elements(Double.self).map { Float($0) }
        case .float16: return elements(UInt16.self).map { Float(Half.value(of: $0)) }
        case .uint64: return elements(UInt64.self).map { Float($0) }
        default: return longs().map { Float($0) }
        }
    }

    /// The values as float64.
    public func doubles() -> [Double] {
        switch dtype {
        case .float32: return elements(Float.self).map { Double($0) }
        case .float64: return elements()
        case .float16: return elements(UInt16.self).map { Half.value(of: $0) }
        case .uint64: return elements(UInt64.self).map { Double($0) }
        default: return longs().map { Double($0) }
        }
    }

    /// Whole numbers, exactly; a uint64 beyond the largest int64 by its bits. Floats are cut off.
    public func longs() -> [Int64] {
        switch dtype {
        case .bool: return elements(UInt8.self).map { $0 == 0 ? 0 : 1 }
        case .uint8: return elements(UInt8.self).map { Int64($0) }
        case .int8: return elements(Int8.self).map { Int64($0) }
        case .uint16: return elements(UInt16.self).map { Int64($0) }
        case .int16: return elements(Int16.self).map { Int64($0) }
        case .uint32: return elements(UInt32.self).map { Int64($0) }
        case .int32: return elements(Int32.self).map { Int64($0) }
        case .uint64: return elements(UInt64.self).map { Int64(bitPattern: $0) }
        case .int64: return elements()
        case .float16, .float32, .float64: return doubles().map(whole)
        }
    }

    /// The same values in another dtype, as C casts them; floats are rounded to the nearest.
    public func cast(to other: DType) -> Tensor {
        if other == dtype { return self }
        switch other {
        case .float32: return Tensor(shape, floats())
        case .float64: return Tensor(shape, doubles())
        case .float16: return Tensor(.float16, shape, holding: doubles().map(Half.bits))
        case .bool: return Tensor(.bool, shape, holding: doubles().map { $0 == 0 ? 0 : 1 } as [UInt8])
        case .uint8: return narrowed(to: other, UInt8.self)
        case .int8: return narrowed(to: other, Int8.self)
        case .uint16: return narrowed(to: other, UInt16.self)
        case .int16: return narrowed(to: other, Int16.self)
        case .uint32: return narrowed(to: other, UInt32.self)
        case .int32: return narrowed(to: other, Int32.self)
        case .int64, .uint64: return Tensor(other, shape, holding: longs())
        }
    }

    private func narrowed<Whole: FixedWidthInteger>(to other: DType, _: Whole.Type) -> Tensor {
        Tensor(other, shape, holding: longs().map { Whole(truncatingIfNeeded: $0) })
    }
}

/// A number without its fraction; what no int64 holds is the nearest that it does, and NaN is 0.
func whole(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 0x1p63 { return .max }
    return value <= -0x1p63 ? .min : Int64(value)
}
