import DeployTargetCore
import Foundation
import LiteRT

/// What runs model.tflite: an entry of the manifest is a signature of the file.
///
/// In: tensors in the artifact's names and layout. Out: its answers. It is LiteRT's CompiledModel, on the CPU with
/// XNNPACK or on the GPU by Metal; a GPU that takes only a part of the file is refused.
final class Engine: DeployTargetCore.Interpreter {
    static let file = "model.tflite"
    static let backends: [Backend] = [.gpu, .cpu]
    let runtime: String
    private let manifest: Manifest
    private let compiled: CompiledModel
    private let signatures: [String]

    init(_ bundle: BundleFiles, _ manifest: Manifest, on backend: Backend) throws {
        guard Engine.backends.contains(backend) else { throw WrongUse("LiteRT has no way to the \(backend.rawValue) here") }
        let environment = try LiteRT.Environment()
        let options = try LiteRT.Options()
        try options.setHardwareAccelerators([backend == .gpu ? .gpu : .cpu])
        let model = try LiteRT.Model(filePath: bundle.model.path, environment: environment)
        compiled = try CompiledModel(environment: environment, model: model, options: options)
        if backend == .gpu, try !compiled.isFullyAccelerated() { throw WrongUse("the GPU cannot run all of the model") }
        signatures = try model.signatureKeys()
        self.manifest = manifest
        runtime = "LiteRT 2.3.0, \(backend == .gpu ? "Metal" : "XNNPACK")"
    }

    func run(entry: String, inputs: [String: Tensor]) throws -> [String: Tensor] {
        guard let index = signatures.firstIndex(of: entry), let asked = manifest.entries.first(where: { $0.name == entry })
        else { throw WrongUse("model.tflite has no signature \"\(entry)\"; it has \(signatures)") }
        let given = try compiled.createInputBuffers(signatureIndex: index)
        for (place, buffer) in given.enumerated() {
            let name = try compiled.inputName(inputIndex: place, signatureIndex: index)
            guard let tensor = inputs[name] else { throw WrongUse("entry \"\(entry)\" was not given \"\(name)\"") }
            try buffer.write(tensor.bytes())
        }
        let made = try compiled.run(inputs: given, signatureIndex: index)
        var answer: [String: Tensor] = [:]
        for (place, buffer) in made.enumerated() {
            let name = try compiled.outputName(outputIndex: place, signatureIndex: index)
            guard let port = asked.outputs.first(where: { $0.spec.name == name }) else { continue }
            let bytes: [UInt8] = try buffer.read()
            answer[name] = try Tensor(dtype: port.spec.dtype, shape: shape(port), data: Data(bytes))
        }
        return answer
    }

    /// Every size of a .tflite is fixed.
    private func shape(_ port: DeployTargetCore.Port) throws -> [Int] {
        try port.spec.shape.map { dim in
            guard case .fixed(let size) = dim else { throw BundleDamaged("\(port.spec.name) has an open size in the manifest") }
            return size
        }
    }
}
