import Foundation

/// Tensors in one file, as Python writes them: a header in JSON, and then the numbers.
///
/// In: the bytes of a safetensors file, mapped or read. Out: tensors by name, cut out when they are
/// asked for; and the other way round.
public struct Safetensors {
    /// Longer headers than this the format does not allow.
    private static let longest = 100_000_000
    private static let codes: [String: DType] = [
        "F64": .float64, "F32": .float32, "F16": .float16, "BOOL": .bool, "U8": .uint8, "I8": .int8,
        "U16": .uint16, "I16": .int16, "U32": .uint32, "I32": .int32, "U64": .uint64, "I64": .int64,
    ]

    private struct Place {
        let dtype: DType
        let shape: [Int]
        let from: Int
    }

    public let metadata: [String: String]
    /// In the order of the header.
    public let names: [String]
    private let places: [String: Place]
    private let file: Data

    /// Throws BundleDamaged where the file is cut off, or something else.
    public init(_ file: Data) throws {
        let head = try Safetensors.header(file)
        let start = 8 + head.count
        guard case .object(let said)? = try? Json.read(head) else {
            throw BundleDamaged("a safetensors file has a header that is not JSON")
        }
        var (places, names, metadata): ([String: Place], [String], [String: String]) = ([:], [], [:])
        for field in said.all {
            if field.name == "__metadata__", case .object(let texts) = field.value {
                for name in texts.names { metadata[name] = try texts.text(name) }
            } else if case .object(let about) = field.value {
                let room = file.count - start
                places[field.name] = try Safetensors.place(field.name, about, start, room)
                names.append(field.name)
            }
        }
        (self.places, self.names, self.metadata, self.file) = (places, names, metadata, file)
    }

    private static func header(_ file: Data) throws -> Data {
        guard file.count >= 8 else { throw BundleDamaged("a safetensors file ends within its header") }
        let long = file.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard long <= UInt64(longest), Int(long) <= file.count - 8 else {
            throw BundleDamaged("a safetensors file ends within its header")
        }
        return file.dropFirst(8).prefix(Int(long))
    }

    private static func place(_ name: String, _ about: Fields, _ start: Int, _ room: Int) throws -> Place {
        let (code, shape) = (try about.text("dtype"), try about.ints("shape"))
        guard let dtype = codes[code] else {
            throw BundleDamaged("\(name) is \(code), for which Swift has no numbers")
        }
        let ends = try about.ints("data_offsets")
        guard ends.count == 2, 0 <= ends[0], ends[0] <= ends[1], ends[1] <= room,
            shape.allSatisfy({ $0 >= 0 }), Tensor.bytes(dtype, shape) == ends[1] - ends[0]
        else { throw BundleDamaged("\(name), \(code) \(shape), is not whole in the safetensors file") }
        return Place(dtype: dtype, shape: shape, from: start + ends[0])
    }

    /// The tensor of that name; nil where there is none.
    public subscript(name: String) -> Tensor? {
        guard let place = places[name], let size = Tensor.bytes(place.dtype, place.shape) else { return nil }
        let from = file.startIndex + place.from
        return Tensor(unchecked: place.dtype, place.shape, file[from..<from + size])
    }

    /// All of them.
    public var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: names.compactMap { name in self[name].map { (name, $0) } })
    }

    /// The bytes of a file with these tensors, sorted by name.
    public static func written(
        _ tensors: [String: Tensor], metadata: [String: String] = [:]
    ) -> Data {
        let sorted = tensors.sorted { $0.key < $1.key }
        var said = Fields()
        if !metadata.isEmpty {
            var texts = Fields()
            for (name, text) in metadata.sorted(by: { $0.key < $1.key }) { texts.set(name, .text(text)) }
            said.set("__metadata__", .object(texts))
        }
        var end = 0
        for (name, tensor) in sorted {
            let ends = [end, end + tensor.data.count]
            end = ends[1]
            let code = codes.first { $0.value == tensor.dtype }?.key ?? ""
            let about: Fields = Fields([
                "dtype": .text(code), "shape": .list(tensor.shape.map(Json.int)),
                "data_offsets": .list(ends.map(Json.int)),
            ])
            said.set(name, .object(about))
        }
        var head = Array(Json.object(said).written().utf8)
        // Numbers of eight bytes must begin at a multiple of eight.
        head += [UInt8](repeating: 32, count: (8 - head.count % 8) % 8)
        var file = withUnsafeBytes(of: UInt64(head.count).littleEndian) { Data($0) }
        file.append(contentsOf: head)
        for (_, tensor) in sorted { file.append(tensor.data) }
        return file
    }
}
