/// One output of one case, judged.
public struct Row: Equatable, Sendable {
    public let call: String
    public let output: String
    public let passed: Bool
    /// Empty where it passed.
    public let reason: String
    public let relativeL2: Double
    public let seconds: Double
}

/// Holds answers to golden cases to the manifest's bounds.
public struct Check {
    private let manifest: Manifest

    public init(_ manifest: Manifest) { self.manifest = manifest }

    /// A row for each output of a case, and for each that only one side has. `lane`: whose bounds
    /// hold; the first lane's where it is nil. Throws WrongUse for a lane or an entry that is none.
    public func judged(
        _ one: GoldenCase, _ answer: [String: Tensor], lane: String? = nil, seconds: Double = 0
    ) throws -> [Row] {
        guard let signature = manifest.signatures[one.golden],
            let entry = manifest.entries(golden: one.golden).first(where: { $0.name == one.entry })
        else { throw WrongUse("the bundle has no entry \"\(one.entry)\", which \(one.call) asks") }
        let bounds = try bounds(of: lane)[one.golden] ?? [:]
        let known = Set(entry.outputs.map(\.spec.name))
        let odd = Set(one.expected.keys).union(answer.keys).subtracting(known).sorted()
        let rows = entry.outputs.map { port in
            row(port, signature, bounds[port.of], one, answer, seconds)
        }
        let more = odd.map { failed(one, $0, "entry \"\(one.entry)\" has no such output") }
        if rows.isEmpty && more.isEmpty {
            return [failed(one, "all outputs", "entry \"\(one.entry)\" has none")]
        }
        return rows + more
    }

    private func bounds(of lane: String?) throws -> [String: [String: Bound]] {
        let lanes = manifest.lanes
        guard let found = lane == nil ? lanes.first : lanes.first(where: { $0.name == lane }) else {
            let names = lanes.map(\.name).joined(separator: ", ")
            throw WrongUse("no lane is named \"\(lane ?? "")\"; this bundle has \(names)")
        }
        return manifest.bounds[found.recipe] ?? [:]
    }

    private func row(
        _ port: Port, _ signature: Signature, _ bound: Bound?, _ one: GoldenCase,
        _ answer: [String: Tensor], _ seconds: Double
    ) -> Row {
        let name = port.spec.name
        guard let want = one.expected[name] else {
            return failed(one, port.of, "\(Golden.fileName) has no answer of the original's for it")
        }
        if let came = answer[name]?.dtype, came != port.spec.dtype {
            let said = "its dtype is \(came.rawValue), expected \(port.spec.dtype.rawValue)"
            return failed(one, port.of, said)
        }
        let spec = signature.outputs.first { $0.name == port.of } ?? port.spec
        let found = Compare.compared(
            want: back(want, port), got: answer[name].map { back($0, port) },
            noise: one.noise[name].map { back($0, port) }, bound: bound ?? .exact,
            batch: batchAxis(spec, signature.batch), kind: spec.kind)
        return Row(
            call: one.call, output: port.of, passed: found.reason == "", reason: found.reason,
            relativeL2: found.relativeL2, seconds: seconds)
    }

    /// In the model's layout; what has another rank is shown as it came.
    private func back(_ tensor: Tensor, _ port: Port) -> Tensor {
        port.axes?.count == tensor.shape.count ? tensor.permuted(inverse(port.axes)) : tensor
    }

    private func failed(_ one: GoldenCase, _ output: String, _ reason: String) -> Row {
        Row(
            call: one.call, output: output, passed: false, reason: reason, relativeL2: .nan, seconds: 0)
    }
}
