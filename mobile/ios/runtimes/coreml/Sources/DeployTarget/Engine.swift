import CoreML
import DeployTargetCore
import Foundation

/// What runs model.mlpackage, by the names of its tensors.
///
/// In: tensors in the artifact's names and layout. Out: its answers, in the sizes that Core ML gives, for an axis may be
/// open. A backend is the processors that Core ML may use beside the CPU; it decides by itself which part runs where.
final class Engine: DeployTargetCore.Interpreter {
    static let file = "model.mlpackage"
    static let backends: [Backend] = [.neuralEngine, .gpu, .cpu]
    let runtime: String
    private let manifest: Manifest
    private let model: MLModel

    init(_ bundle: BundleFiles, _ manifest: Manifest, on backend: Backend) throws {
        let configuration = MLModelConfiguration()
        switch backend {
        case .neuralEngine: configuration.computeUnits = .cpuAndNeuralEngine
        case .gpu: configuration.computeUnits = .cpuAndGPU
        case .cpu: configuration.computeUnits = .cpuOnly
        }
        model = try compiled(bundle.model, manifest.digest, configuration)
        self.manifest = manifest
        runtime = "Core ML of \(ProcessInfo.processInfo.operatingSystemVersionString), \(backend.rawValue)"
    }

    func run(entry: String, inputs: [String: Tensor]) throws -> [String: Tensor] {
        guard let asked = manifest.entries.first(where: { $0.name == entry }) else {
            throw WrongUse("\(Engine.file) has no function \"\(entry)\"")
        }
        var given: [String: Any] = [:]
        for port in asked.inputs {
            guard let tensor = inputs[port.spec.name] else { throw WrongUse("\"\(entry)\" was not given \"\(port.spec.name)\"") }
            given[port.spec.name] = MLFeatureValue(multiArray: try array(of: tensor))
        }
        let made = try model.prediction(from: try MLDictionaryFeatureProvider(dictionary: given))
        var answer: [String: Tensor] = [:]
        for port in asked.outputs {
            guard let array = made.featureValue(for: port.spec.name)?.multiArrayValue else {
                throw WrongUse("\"\(entry)\" gave no array \"\(port.spec.name)\"")
            }
            answer[port.spec.name] = try tensor(of: array, port)
        }
        return answer
    }

    private func array(of tensor: Tensor) throws -> MLMultiArray {
        guard let type = Engine.types[tensor.dtype] else { throw WrongUse("Core ML takes no \(tensor.dtype.rawValue)") }
        let array = try MLMultiArray(shape: tensor.shape.map { NSNumber(value: $0) }, dataType: type)
        let bytes = tensor.bytes()
        array.withUnsafeMutableBytes { memory, strides in
            bytes.withUnsafeBytes { Runs(tensor.shape, strides).scatter($0, to: memory, size: tensor.dtype.size) }
        }
        return array
    }

    private func tensor(of array: MLMultiArray, _ port: DeployTargetCore.Port) throws -> Tensor {
        let dtype = port.spec.dtype
        guard Engine.types[dtype] == array.dataType else { throw WrongUse("\(port.spec.name) is not \(dtype.rawValue)") }
        let shape = array.shape.map(\.intValue)
        let runs = Runs(shape, array.strides.map(\.intValue))
        let data = array.withUnsafeBytes { runs.gathered($0, size: dtype.size) }
        // A single number comes as a list of one.
        return try Tensor(dtype: dtype, shape: port.spec.shape.isEmpty && shape == [1] ? [] : shape, data: data)
    }

    private static let types: [DType: MLMultiArrayDataType] = [
        .float32: .float32, .float16: .float16, .float64: .double, .int32: .int32,
    ]
}

/// The model as Core ML runs it: compiled at the first load, and kept among the caches under the manifest's SHA-256.
///
/// What is kept is Core ML's own and has no hash in the manifest; what it is made of was compared before.
private func compiled(_ package: URL, _ digest: String, _ configuration: MLModelConfiguration) throws -> MLModel {
    let files = FileManager.default
    let caches = try files.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    let home = caches.appendingPathComponent("dev.deploytarget")
    let kept = home.appendingPathComponent("\(digest).mlmodelc")
    if let model = try? MLModel(contentsOf: kept, configuration: configuration) { return model }
    try? files.removeItem(at: kept)
    try files.createDirectory(at: home, withIntermediateDirectories: true)
    let fresh = try MLModel.compileModel(at: package)
    do {
        try files.moveItem(at: fresh, to: kept)
    } catch {
        // Another process may have been the first.
        guard files.fileExists(atPath: kept.path) else { throw error }
    }
    return try MLModel(contentsOf: kept, configuration: configuration)
}
