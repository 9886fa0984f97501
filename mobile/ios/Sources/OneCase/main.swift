import DeployTargetCore
import Foundation

// The smallest golden case of a bundle, alone in a file of the same form: what a GPU is checked with. It runs while
// the package is built. In: golden.safetensors and where to write, as arguments.

func bytes(_ tensors: [String: Tensor]) -> Int { tensors.values.reduce(0) { $0 + $1.data.count } }

func keyed(_ one: GoldenCase) -> [String: Tensor] {
    let head = "\(one.golden)/\(one.call.replacingOccurrences(of: "/", with: "|"))/\(one.entry)"
    var found: [String: Tensor] = [:]
    for (side, tensors) in [("in", one.inputs), ("out", one.expected), ("noise", one.noise)] {
        for (name, tensor) in tensors { found["\(head)/\(side)/\(name)"] = tensor }
    }
    return found
}

let (golden, file) = (CommandLine.arguments[1], CommandLine.arguments[2])
let cases = try Golden.read(try Data(contentsOf: URL(fileURLWithPath: golden), options: .mappedIfSafe))
let asked = cases.filter { $0.golden == "tensors" }
let chosen = asked.min { bytes($0.inputs) + bytes($0.expected) < bytes($1.inputs) + bytes($1.expected) }
try Safetensors.written(chosen.map(keyed) ?? [:]).write(to: URL(fileURLWithPath: file))
