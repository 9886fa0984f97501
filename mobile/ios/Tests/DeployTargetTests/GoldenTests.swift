import Foundation
import XCTest

@testable import DeployTarget

/// Asks every golden question on this device, judges the answers, and writes them down for
/// `deploy-target verify BUNDLE --actual recording-cpu.safetensors`. The file is written whatever they are: what is wrong
/// is worth looking into.
final class GoldenTests: XCTestCase {
    func testTheCPUAnswersAsTheOriginalDoes() throws { try judge(.cpu) }

    func testWhatElseIsTakenAnswersAsTheOriginalDoes() async throws {
        var (taken, refused): ([Backend], [Backend: String]) = ([], [:])
        for backend in Engine.backends where backend != .cpu {
            let info = try await Task.detached { try DeployTargetModel.load(prefer: [backend, .cpu]).info }.value
            refused.merge(info.refused) { $1 }
            if info.backend == backend { taken.append(backend) }
        }
        for backend in taken { try judge(backend) }
        try XCTSkipIf(taken.isEmpty, "beside the CPU nothing was taken: \(refused)")
    }

    func testLoadIsRefusedOnTheMainThread() {
        XCTAssertThrowsError(try DeployTargetModel.load())
    }

    private func judge(_ backend: Backend) throws {
        let cases = try BundleFiles(.module).golden()
        XCTAssertFalse(cases.isEmpty, "no golden question travels with this bundle")
        let recorded = try Recorded(cases, on: backend)
        try recorded.file.map { try keep($0, backend) }
        XCTAssertEqual(recorded.wrong, [])
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
