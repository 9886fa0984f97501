import Foundation

/// A size, or the name of an axis that is not fixed: "batch", or a product such as "batch*time".
public enum Dim: Equatable, Sendable {
    case fixed(Int)
    case named(String)
}

/// One input or output.
public struct Spec: Equatable, Sendable {
    public let name: String
    public let dtype: DType
    public let shape: [Dim]
    /// What an output means, as declared: "classifier", "detection", "plain".
    public let kind: String
}

/// A named axis and the sizes, both included, that the model takes along it.
public struct Axis: Equatable, Sendable {
    public let name: String
    public let minimum: Int
    public let maximum: Int
}

/// What goes into a model and what comes out.
public struct Signature: Equatable, Sendable {
    public let inputs: [Spec]
    public let outputs: [Spec]
    public let axes: [Axis]
    /// The one axis along which a case may be split into several calls.
    public let batch: String?
}

/// One tensor of the artifact, and the model's that it stands for: artifact = model.transpose(axes).
public struct Port: Equatable, Sendable {
    public let spec: Spec
    public let of: String
    public let axes: [Int]?
}

/// One thing that can be called: a signature in the file.
public struct Entry: Equatable, Sendable {
    public let name: String
    public let inputs: [Port]
    public let outputs: [Port]
    /// Which line of the verdict asks it: "tensors" or "bytes".
    public let golden: String
}

/// One way to run the bundle.
public struct Lane: Equatable, Sendable {
    public let name: String
    public let recipe: String
    public let required: Bool
}

/// How far one output may be from the original's.
public struct Bound: Equatable, Sendable {
    public let relativeL2, whole, part, element, budget, jumps, jump: Double

    /// Where nothing is allowed.
    static let exact = Bound(
        relativeL2: 0, whole: 0, part: 0, element: 0, budget: 0, jumps: 0, jump: 0)
}

/// One file of a bundle.
public struct FileRecord: Equatable, Sendable {
    public let role: String
    public let size: Int
    public let sha256: String
}

/// `deploy-target.json`: what is known of a bundle without running it.
public struct Manifest: Sendable {
    public static let fileName = "deploy-target.json"
    static let schema = 3
    static let tensors = "tensors"

    public let name: String
    public let target: String
    /// SHA-256 of the file, by which a recording says which bundle it is of.
    public let digest: String
    public let signatures: [String: Signature]
    public let entries: [Entry]
    public let lanes: [Lane]
    /// Recipe -> line of the verdict -> output.
    public let bounds: [String: [String: [String: Bound]]]
    public let files: [String: FileRecord]
    public let options: Fields
    /// The model's own.
    public let signature: Signature

    public func entries(golden: String) -> [Entry] { entries.filter { $0.golden == golden } }

    /// Throws BundleDamaged where it is no manifest that this code reads.
    public init(_ file: Data) throws {
        let said: Fields
        do {
            guard case .object(let object) = try Json.read(file) else {
                throw BundleDamaged("\(Manifest.fileName) holds no object")
            }
            said = object
        } catch let error as Json.Wrong {
            throw BundleDamaged("\(Manifest.fileName) cannot be read: \(error)")
        }
        guard try said.int("schema") == Manifest.schema else {
            throw BundleDamaged("\(Manifest.fileName) has another schema than \(Manifest.schema)")
        }
        (name, target, digest) = (try said.text("name"), try said.text("target"), Sha256.hex(file))
        signatures = try said.fields("signatures").mapped(Signature.init)
        guard let own = signatures[Manifest.tensors] else {
            throw BundleDamaged("\(Manifest.fileName) has no signature of the model's tensors")
        }
        signature = own
        entries = try said.objects("entries").map(Entry.init)
        lanes = try said.objects("lanes").map(Lane.init)
        bounds = try said.fields("bounds").mapped { try $0.mapped { try $0.mapped(Bound.init) } }
        files = try said.fields("files").mapped(FileRecord.init)
        options = try said.fields("options")
    }
}

extension Fields {
    /// Each value, which is an object, as something else.
    func mapped<Made>(_ make: (Fields) throws -> Made) throws -> [String: Made] {
        var made: [String: Made] = [:]
        for name in names { made[name] = try make(try fields(name)) }
        return made
    }
}

extension Spec {
    init(_ said: Fields) throws {
        name = try said.text("name")
        dtype = try DType.named(try said.text("dtype"))
        kind = try said.textOrNil("kind") ?? "plain"
        shape = try said.list("shape").map { size in
            switch size {
            case .text(let name): return .named(name)
            case .number(let number): return .fixed(Int(exactly: number.value) ?? -1)
            default: throw BundleDamaged("a shape holds \(size.written()), expected sizes and names")
            }
        }
    }
}

extension Signature {
    init(_ said: Fields) throws {
        inputs = try said.objects("inputs").map(Spec.init)
        outputs = try said.objects("outputs").map(Spec.init)
        axes = try said.objects("axes").map { axis in
            Axis(
                name: try axis.text("name"), minimum: try axis.int("minimum"),
                maximum: try axis.int("maximum"))
        }
        batch = try said.textOrNil("batch")
    }
}

extension Port {
    init(_ said: Fields) throws {
        spec = try Spec(try said.fields("spec"))
        of = try said.text("of")
        axes = try said.intsOrNil("axes")
    }
}

extension Entry {
    init(_ said: Fields) throws {
        name = try said.text("name")
        inputs = try said.objects("inputs").map(Port.init)
        outputs = try said.objects("outputs").map(Port.init)
        golden = try said.text("golden")
    }
}

extension Lane {
    init(_ said: Fields) throws {
        name = try said.text("name")
        recipe = try said.text("recipe")
        required = try said.flag("required")
    }
}

extension Bound {
    public init(_ said: Fields) throws {
        relativeL2 = try said.number("relative_l2")
        whole = try said.number("whole")
        part = try said.number("part")
        element = try said.number("element")
        budget = try said.number("budget")
        jumps = try said.number("jumps")
        jump = try said.number("jump")
    }
}

extension FileRecord {
    init(_ said: Fields) throws {
        role = try said.text("role")
        size = try said.int("size")
        sha256 = try said.text("sha256")
    }
}
