import Foundation

/// One question that the original model answered, in the artifact's names and layout.
public struct GoldenCase: Sendable {
    /// Which line of the verdict it is of: "tensors" or "bytes".
    public let golden: String
    public let call: String
    public let entry: String
    public let inputs: [String: Tensor]
    public let expected: [String: Tensor]
    /// How far the original strays from itself, element by element.
    public let noise: [String: Tensor]
}

/// golden.safetensors: the answers of the original model, as they travel with a bundle.
public enum Golden {
    public static let fileName = "golden.safetensors"

    /// The cases, sorted by line and call. Throws BundleDamaged where the file is not whole.
    public static func read(_ file: Data) throws -> [GoldenCase] {
        let tensors = try Safetensors(file)
        var found: [[String]: [String: [String: Tensor]]] = [:]
        for name in tensors.names {
            // <golden>/<call>/<entry>/in|out|noise/<tensor>, where only a tensor's name has slashes.
            let parts = name.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
            guard parts.count == 5, ["in", "out", "noise"].contains(parts[3]) else {
                throw BundleDamaged("\(fileName) holds a key of another form: \"\(name)\"")
            }
            let key = parts[..<3].map(String.init)
            found[key, default: [:]][String(parts[3]), default: [:]][String(parts[4])] = tensors[name]
        }
        return found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, sides in
            GoldenCase(
                golden: key[0], call: key[1].replacingOccurrences(of: "|", with: "/"), entry: key[2],
                inputs: sides["in"] ?? [:], expected: sides["out"] ?? [:], noise: sides["noise"] ?? [:])
        }
    }
}
