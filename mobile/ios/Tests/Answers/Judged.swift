import Foundation

@testable import DeployTargetCore

/// `<pair>/want|got|noise` and in `questions` the bound, batch and kind of each pair -> what is wrong
/// with each, and how far it is.
func compare(_ questions: String, _ answers: String) throws {
    let file = try Safetensors(try read(questions))
    guard case .object(let pairs) = try Json.read(file.metadata["questions"] ?? "") else {
        throw Failure("the file holds no questions")
    }
    var said = Fields()
    for name in pairs.names {
        let about = try pairs.fields(name)
        guard let want = file["\(name)/want"] else { throw Failure("\(name) expects nothing") }
        let found = Compare.compared(
            want: want, got: file["\(name)/got"], noise: file["\(name)/noise"],
            bound: try Bound(try about.fields("bound")), batch: try about.intOrNil("batch"),
            kind: try about.text("kind"))
        let far = Numbers.said(found.relativeL2, .float64)
        said.set(name, .list([.text(found.reason), far]))
    }
    try write(Data(Json.object(said).written().utf8), answers)
}

/// A recording of golden's own answers, each float a little larger, as an honest device's would be.
func record(_ bundle: String, _ lane: String, _ answers: String) throws {
    let manifest = try Manifest(try read("\(bundle)/\(Manifest.fileName)"))
    var recording = Recording(manifest, lane: lane, runtime: "Swift 1.0", device: "a test")
    for one in try Golden.read(try read("\(bundle)/\(Golden.fileName)")) {
        recording.add(one, one.expected.mapValues(moved))
    }
    try write(recording.written(), answers)
}

private func moved(_ tensor: Tensor) -> Tensor {
    guard tensor.dtype == .float32 else { return tensor }
    return Tensor(tensor.shape, tensor.floats().map(\.nextUp))
}
