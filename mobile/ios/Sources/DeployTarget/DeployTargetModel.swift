@_exported import DeployTargetCore
import Foundation

/// Where a model runs. Not every runtime has each.
public enum Backend: String, CaseIterable, Sendable {
    case neuralEngine = "neural-engine"
    case gpu, cpu
}

/// What runs the model, and why what was preferred to it does not.
public struct Info: Sendable {
    public let model: String
    public let backend: Backend
    public let runtime: String
    public let refused: [Backend: String]
}

/// The model of a bundle, on Apple's systems. One question is answered at a time; any thread may ask.
///
/// In: the resources of this package. Out: answers, in the model's own names or in words. Engine.swift runs the file,
/// and is all that is of one runtime; everything that needs nothing of Apple's is DeployTargetCore. What the runtime holds is freed with the last reference.
public final class DeployTargetModel: @unchecked Sendable {
    /// What was chosen at load.
    public let info: Info
    private let model: Model
    private let lock = NSLock()

    private init(_ model: Model, _ info: Info) { (self.model, self.info) = (model, info) }

    /// Loads the model; it takes some hundred milliseconds, so not on the main thread, which is refused.
    ///
    /// Of `prefer`, or else of all that the runtime has, the first is taken that can be had; another than the CPU only
    /// where it answers one golden question within the manifest's bounds. Throws BundleDamaged where the model's file
    /// is not the sealed one, WrongUse where nothing is left.
    public static func load(prefer: [Backend]? = nil) throws -> DeployTargetModel {
        if Thread.isMainThread { throw WrongUse("load the model on a background thread: it reads and compiles it") }
        let bundle = BundleFiles.ours
        let manifest = try Manifest(try bundle.manifest())
        try bundle.check(manifest)
        var refused: [Backend: String] = [:]
        for backend in prefer ?? Engine.backends {
            do {
                let engine = try Engine(bundle, manifest, on: backend)
                if backend != .cpu, let doubt = try doubt(engine, bundle, manifest) { throw WrongUse(doubt) }
                let info = Info(model: manifest.name, backend: backend, runtime: engine.runtime, refused: refused)
                return DeployTargetModel(try asked(by: engine, bundle, manifest), info)
            } catch {
                refused[backend] = "\(error)"
            }
        }
        throw WrongUse("nothing runs the model: \(refused)")
    }

    /// The model with its steps, run by an engine.
    static func asked(by engine: Engine, _ bundle: BundleFiles, _ manifest: Manifest) throws -> Model {
        let steps = try bundle.steps().map { try Steps($0) }
        return Model(manifest: manifest, steps: steps, interpreter: engine, decoder: PlatformDecoder())
    }

    /// Why an engine is not to be trusted; nil where it answered as the original does.
    private static func doubt(_ engine: Engine, _ bundle: BundleFiles, _ manifest: Manifest) throws -> String? {
        guard let one = try bundle.checkCase() else { return "no golden question travels with this bundle to check it with" }
        let rows = try Check(manifest).judged(one, try engine.run(entry: one.entry, inputs: one.inputs))
        return rows.first { !$0.passed }.map { "\($0.output) of \($0.call): \($0.reason)" }
    }

    /// Asks in the model's own names, layout and dtypes; Names.swift has the same, typed.
    public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] { try locked { try model.run(inputs) } }

    /// From the bytes of a photo, a recording or a table to words, by the declared steps. Throws Refused.
    public func predict(_ bytes: Data) throws -> Fields { try locked { try model.predict(bytes) } }

    /// The same from pixels: a camera's, with no file in between.
    public func predict(_ photo: Photo) throws -> Fields { try locked { try model.predict(photo) } }

    /// The same of a model with several inputs.
    public func predict(_ raw: [String: Raw]) throws -> Fields { try locked { try model.predict(raw) } }

    func tensor(_ name: String, of outputs: [String: Tensor]) throws -> Tensor {
        guard let found = outputs[name] else { throw WrongUse("the model gave no \"\(name)\"") }
        return found
    }

    private func locked<Answer>(_ ask: () throws -> Answer) rethrows -> Answer {
        lock.lock()
        defer { lock.unlock() }
        return try ask()
    }
}
