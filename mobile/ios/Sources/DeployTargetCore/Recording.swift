import Foundation

/// Answers as `deploy-target verify BUNDLE --actual FILE` reads them: raw, for others to judge.
public struct Recording {
    private let metadata: [String: String]
    private var tensors: [String: Tensor] = [:]

    /// `lane` is one of the manifest's; `runtime` and `device` say what really ran, and where.
    public init(_ manifest: Manifest, lane: String, runtime: String, device: String) {
        metadata = [
            "manifest": manifest.digest, "lane": lane, "runtime": runtime, "device": device,
        ]
    }

    /// What the artifact answered to a case, in its own names and layout.
    public mutating func add(_ one: GoldenCase, _ outputs: [String: Tensor]) {
        for (name, tensor) in outputs { tensors["\(one.golden)/\(one.call)/\(name)"] = tensor }
    }

    /// The bytes of the file.
    public func written() -> Data { Safetensors.written(tensors, metadata: metadata) }
}
