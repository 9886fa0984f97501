import CryptoKit
import DeployTargetCore
import Foundation

/// The bundle's files, as they are resources of this package.
struct BundleFiles {
    static let ours = BundleFiles(.module)

    private let home: URL

    init(_ bundle: Bundle) { home = bundle.resourceURL ?? bundle.bundleURL }

    /// The model: a file, or a folder.
    var model: URL { home.appendingPathComponent(Engine.file) }

    func manifest() throws -> Data {
        guard let data = read(Manifest.fileName) else { throw BundleDamaged("the app has no resource \(Manifest.fileName)") }
        return data
    }

    /// steps.json; nil where no steps are declared.
    func steps() -> Data? { read(Steps.fileName) }

    /// The golden case that a GPU has to answer; nil where none travels.
    func checkCase() throws -> GoldenCase? { try read("check.safetensors").flatMap { try Golden.read($0).first } }

    /// All golden cases: a resource of the tests alone.
    func golden() throws -> [GoldenCase] { try read(Golden.fileName).map { try Golden.read($0) } ?? [] }

    /// Throws BundleDamaged where the model is not the one that the manifest names.
    func check(_ manifest: Manifest) throws {
        let parts = manifest.files.filter { $0.key == Engine.file || $0.key.hasPrefix("\(Engine.file)/") }
        if parts.isEmpty { throw BundleDamaged("\(Manifest.fileName) names no \(Engine.file)") }
        for (name, record) in parts {
            guard let data = read(name) else { throw BundleDamaged("the app has no resource \(name)") }
            let got = SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
            if got != record.sha256 { throw BundleDamaged("\(name) has the SHA-256 \(got), expected \(record.sha256)") }
        }
    }

    /// Mapped, not copied.
    private func read(_ name: String) -> Data? {
        try? Data(contentsOf: home.appendingPathComponent(name), options: .alwaysMapped)
    }
}
