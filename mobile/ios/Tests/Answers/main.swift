// Answers questions from files, so that other code, the same for every language, can judge.
//
//   Answers vectors FOLDER PHOTOS INTO NAME...   FOLDER/NAME.safetensors -> INTO/NAME.safetensors
//   Answers compare QUESTIONS ANSWERS            pairs of tensors and bounds -> distances
//   Answers record BUNDLE LANE ANSWERS           golden's own answers, moved a little, as a recording

import Foundation

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "vectors"? where arguments.count >= 4: try vectors(Array(arguments.dropFirst()))
    case "compare"? where arguments.count == 3: try compare(arguments[1], arguments[2])
    case "record"? where arguments.count == 4: try record(arguments[1], arguments[2], arguments[3])
    default: throw Failure("what to answer, and from which files? The first lines of this file say it")
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}

struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
