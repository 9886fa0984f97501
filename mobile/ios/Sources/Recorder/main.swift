import DeployTarget
import Foundation

// Asks every golden question on this Mac, in the bundle's folder, and writes the answers, right or wrong, for
// `deploy-target verify . --actual FILE`:
//
//     swift run deploy-target-run golden.safetensors recording-cpu.safetensors cpu
//
// It ends with 1 where an answer strays too far, with 2 where it was called wrongly.

func said(_ words: String) { FileHandle.standardError.write(Data("\(words)\n".utf8)) }

let arguments = CommandLine.arguments
guard arguments.count == 4, let backend = Backend(rawValue: arguments[3]) else {
    let backends = Backend.allCases.map(\.rawValue).joined(separator: ", ")
    said("expected: \(arguments[0]) golden.safetensors RECORDING BACKEND, which is one of \(backends)")
    exit(2)
}
let cases = try Golden.read(try Data(contentsOf: URL(fileURLWithPath: arguments[1]), options: .mappedIfSafe))
let recorded = try Recorded(cases, on: backend)
if let file = recorded.file {
    try file.write(to: URL(fileURLWithPath: arguments[2]))
    said("\(arguments[2]) has \(cases.count) answers")
} else {
    said("this bundle has no lane for this system: nothing is written")
}
for row in recorded.wrong { said("\(row.output) of \(row.call): \(row.reason)") }
exit(recorded.wrong.isEmpty && !cases.isEmpty ? 0 : 1)
