import DeployTargetCore
import Foundation

/// What one backend answers to the golden questions: raw, for `deploy-target verify BUNDLE --actual FILE`, and judged
/// here by the manifest's bounds. A backend is asked as it is, with no check before.
package struct Recorded {
    /// The bytes of the file; nil where the manifest has no lane for this system.
    package let file: Data?
    /// What strays too far.
    package let wrong: [Row]

    package init(_ cases: [GoldenCase], on backend: Backend) throws {
        let manifest = try Manifest(try BundleFiles.ours.manifest())
        try BundleFiles.ours.check(manifest)
        let engine = try Engine(BundleFiles.ours, manifest, on: backend)
        let model = try DeployTargetModel.asked(by: engine, BundleFiles.ours, manifest)
        let lane = Recorded.lane(of: backend, manifest)
        var recording = lane.map { Recording(manifest, lane: $0, runtime: engine.runtime, device: Recorded.device) }
        var wrong: [Row] = []
        for one in cases {
            let answer = try Recorded.ask(one, model, engine)
            recording?.add(one, answer)
            wrong += try Check(manifest).judged(one, answer, lane: lane).filter { !$0.passed }
        }
        (file, self.wrong) = (recording?.written(), wrong)
    }

    /// From raw bytes, by the steps and this system's decoder; or from the model's own tensors.
    private static func ask(_ one: GoldenCase, _ model: Model, _ engine: Engine) throws -> [String: Tensor] {
        if one.golden == "tensors" { return try engine.run(entry: one.entry, inputs: one.inputs) }
        return try model.predictTensors(model.raws(one.inputs))
    }

    /// The lane of this manifest that the answers of this system belong to; nil where it has none.
    private static func lane(of backend: Backend, _ manifest: Manifest) -> String? {
        #if os(macOS)
        let systems = ["macos", "ios"]
        #else
        let systems = ["ios"]
        #endif
        let wanted = systems.flatMap { backend == .cpu ? [$0] : ["\($0)-\(backend.rawValue)", $0] }
        return wanted.first { name in manifest.lanes.contains { $0.name == name } }
    }

    private static var device: String {
        "\(ProcessInfo.processInfo.hostName), \(ProcessInfo.processInfo.operatingSystemVersionString)"
    }
}
