import Foundation
import XCTest

@testable import DeployTarget

/// Asks every golden question on this device, judges the answers, and writes them down for
/// `deploy-target verify BUNDLE --actual recording-cpu.safetensors`. The file is written before it is judged: what is
/// wrong is worth looking into.
final class GoldenTests: XCTestCase {
    func testTheCPUAnswersAsTheOriginalDoes() throws { try judge(.cpu) }

    func testTheGPUAnswersAsTheOriginalDoes() async throws {
        let info = try await Task.detached { try DeployTargetModel.load().info }.value
        try XCTSkipUnless(info.backend == .gpu, "no GPU was taken: \(info.refused[.gpu] ?? "")")
        try judge(.gpu)
    }

    func testLoadIsRefusedOnTheMainThread() {
        XCTAssertThrowsError(try DeployTargetModel.load())
    }

    private func judge(_ backend: Backend) throws {
        let manifest = try Manifest(try BundleFiles.ours.manifest())
        let cases = try BundleFiles(.module).golden()
        XCTAssertFalse(cases.isEmpty, "no golden question travels with this bundle")
        let engine = try Engine(BundleFiles.ours.model, manifest, on: backend)
        let model = try DeployTargetModel.asked(by: engine, BundleFiles.ours, manifest)
        let lane = lane(of: backend, manifest)
        var recording = lane.map { Recording(manifest, lane: $0, runtime: engine.runtime, device: device()) }
        var wrong: [Row] = []
        for one in cases {
            let answer = try ask(one, model, engine)
            recording?.add(one, answer)
            wrong += try Check(manifest).judged(one, answer, lane: lane).filter { !$0.passed }
        }
        try recording.map { try keep($0.written(), backend) }
        XCTAssertEqual(wrong, [])
    }

    /// From raw bytes, by the steps and this system's decoder; or from the model's own tensors.
    private func ask(_ one: GoldenCase, _ model: Model, _ engine: Engine) throws -> [String: Tensor] {
        if one.golden == "tensors" { return try engine.run(entry: one.entry, inputs: one.inputs) }
        return try model.predictTensors(model.raws(one.inputs))
    }

    /// The lane of this manifest that a device's answers belong to; nil where it has none.
    private func lane(of backend: Backend, _ manifest: Manifest) -> String? {
        let wanted = backend == .cpu ? ["ios"] : ["ios-gpu", "ios"]
        return wanted.first { name in manifest.lanes.contains { $0.name == name } }
    }

    private func device() -> String {
        "\(ProcessInfo.processInfo.hostName), \(ProcessInfo.processInfo.operatingSystemVersionString)"
    }

    private func keep(_ recording: Data, _ backend: Backend) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("recording-\(backend.rawValue).safetensors")
        try recording.write(to: file)
        #if canImport(Darwin)
        // Of a phone nothing else is left: Xcode shows it in the test's report.
        let kept = XCTAttachment(contentsOfFile: file)
        kept.lifetime = .keepAlways
        add(kept)
        #endif
        print("the answers of this device: \(file.path)")
    }
}
