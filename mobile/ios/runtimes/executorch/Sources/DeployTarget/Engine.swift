import DeployTargetCore
import ExecuTorch
import Foundation

/// What runs model.pte: an entry of the manifest is a method of the file, whose tensors have no names. They go in and
/// come out in the manifest's order.
///
/// In: tensors in the artifact's names and layout. Out: its answers, in the sizes that the runtime gives, for an axis
/// may be open. It is ExecuTorch's Module with XNNPACK and its own kernels, on the CPU, and chooses its threads itself.
final class Engine: DeployTargetCore.Interpreter {
    static let file = "model.pte"
    static let backends: [Backend] = [.cpu]
    let runtime = "ExecuTorch 1.5.0, XNNPACK"
    private let manifest: Manifest
    private let module: Module

    init(_ bundle: BundleFiles, _ manifest: Manifest, on backend: Backend) throws {
        guard Engine.backends.contains(backend) else {
            throw WrongUse("\(Engine.file) is made for the CPU: it is delegated to XNNPACK")
        }
        module = Module(filePath: bundle.model.path, loadMode: .mmap)
        self.manifest = manifest
        // Now and not at the first question: a file that the runtime does not take is known at load.
        for entry in manifest.entries(golden: "tensors") { try module.load(entry.name) }
    }

    func run(entry: String, inputs: [String: DeployTargetCore.Tensor]) throws -> [String: DeployTargetCore.Tensor] {
        guard let asked = manifest.entries.first(where: { $0.name == entry }) else {
            throw WrongUse("\(Engine.file) has no method \"\(entry)\"")
        }
        let given: [ValueConvertible] = try asked.inputs.map { port in
            guard let tensor = inputs[port.spec.name] else { throw WrongUse("\"\(entry)\" was not given \"\(port.spec.name)\"") }
            return try blob(of: tensor)
        }
        let made: [Value] = try module.execute(entry, given)
        guard made.count == asked.outputs.count else {
            throw WrongUse("\"\(entry)\" gave \(made.count) values, expected \(asked.outputs.count)")
        }
        var answer: [String: DeployTargetCore.Tensor] = [:]
        for (port, value) in zip(asked.outputs, made) { answer[port.spec.name] = try tensor(of: value, port) }
        return answer
    }

    /// A copy, for a tensor may be a part of a file that begins at an odd place.
    private func blob(of tensor: DeployTargetCore.Tensor) throws -> AnyTensor {
        try tensor.bytes().withUnsafeBytes { memory in
            guard let type = Engine.types[tensor.dtype], let start = memory.baseAddress else {
                throw WrongUse("ExecuTorch takes no \(tensor.dtype.rawValue) of shape \(tensor.shape)")
            }
            return AnyTensor(bytes: start, shape: tensor.shape, dataType: type)
        }
    }

    private func tensor(of value: Value, _ port: DeployTargetCore.Port) throws -> DeployTargetCore.Tensor {
        let dtype = port.spec.dtype
        guard let made = value.anyTensor, Engine.types[dtype] == made.dataType else {
            throw WrongUse("\(port.spec.name) is no tensor of \(dtype.rawValue)")
        }
        guard made.dimensionOrder == Array(made.shape.indices) else {
            throw WrongUse("\(port.spec.name) lies in memory in the order \(made.dimensionOrder) of its axes")
        }
        var data = Data()
        made.bytes { start, count, _ in data = Data(bytes: start, count: count * dtype.size) }
        return try DeployTargetCore.Tensor(dtype: dtype, shape: made.shape, data: data)
    }

    private static let types: [DType: DataType] = [
        .float32: .float, .float64: .double, .float16: .half, .bool: .bool, .uint8: .byte, .int8: .char,
        .uint16: .uInt16, .int16: .short, .uint32: .uInt32, .int32: .int, .uint64: .uInt64, .int64: .long,
    ]
}
