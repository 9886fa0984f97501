/// A user's own step: given a tensor, it gives one of the same dtype and rank.
public protocol OwnStep {
    func run(_ value: Tensor) throws -> Tensor
}

/// What the app gives to the steps: what only the platform or its user can do.
struct Supplied {
    var decoder: ImageDecoder?
    var own: [String: OwnStep] = [:]
}

/// What stands around the model: from raw bytes to a tensor, and from tensors to words.
///
/// deploy_targets/stages/host/ in Python is the reference, and its test vectors decide. To add an
/// operation: a function in the file of its medium, and a line in `before` or `after`.
enum Operations {
    typealias Before = (Tensor, inout Frame, Fields, Supplied) throws -> Tensor
    typealias After = (inout [String: Tensor], String, Frame, Fields) throws -> Void

    static let before: [String: Before] = [
        "decode_image": { try DecodeImage.decoded($0, &$1, $2, $3) },
        "resize": { value, frame, options, _ in try Resize.resize(value, &frame, options) },
        "crop": { value, frame, options, _ in try Image.crop(value, &frame, options) },
        "pad": { value, frame, options, _ in try Image.pad(value, &frame, options) },
        "channels": { value, _, options, _ in try Image.channels(value, options) },
        "scale": { value, _, options, _ in try Image.scale(value, options) },
        "layout": { value, _, options, _ in try Image.layout(value, options) },
        "decode_audio": { value, frame, options, _ in
            try DecodeAudio.decoded(value, &frame, options)
        },
        "resample": { value, frame, options, _ in try Resampling.resample(value, &frame, options) },
        "length": { value, _, options, _ in try Audio.length(value, options) },
        "frames": { value, _, options, _ in try Audio.frames(value, options) },
        "normalise": { value, _, options, _ in try Audio.normalise(value, options) },
        "arrange": { value, _, options, _ in try Audio.arrange(value, options) },
        "log_mel": { value, _, options, _ in try LogMel.logMel(value, options) },
        "decode_table": { value, _, options, _ in try DecodeTable.decoded(value, options) },
        "impute": { value, _, options, _ in try Table.impute(value, options) },
        "standardise": { value, _, options, _ in try Table.standardise(value, options) },
        "one_hot": { value, _, options, _ in try Table.oneHot(value, options) },
        "cast": { value, _, options, _ in try Table.cast(value, options) },
        "own": { value, _, options, supplied in try Own.own(value, options, supplied) },
    ]

    static let after: [String: After] = [
        "softmax": { tensors, of, _, options in try Scores.softmax(&tensors, of, options) },
        "sigmoid": { tensors, of, _, _ in try Scores.sigmoid(&tensors, of) },
        "top_k": { tensors, of, _, options in try Scores.topK(&tensors, of, options) },
        "threshold": { tensors, of, _, options in try Scores.threshold(&tensors, of, options) },
        "detections": { tensors, of, _, options in try Boxes.detections(&tensors, of, options) },
        "unframe": { tensors, of, frame, _ in try Boxes.unframe(&tensors, of, frame) },
        "argmax": { tensors, of, _, options in try Masks.argmax(&tensors, of, options) },
        "above": { tensors, of, _, options in try Masks.above(&tensors, of, options) },
        "resize_mask": { tensors, of, frame, options in
            try Masks.resizeMask(&tensors, of, frame, options)
        },
        "ctc": { tensors, of, _, options in try Text.ctc(&tensors, of, options) },
    ]

    /// What says how an answer is put in words, and changes no tensor.
    static let words: Set<String> = ["label", "palette"]

    static let names = Set(before.keys).union(after.keys).union(words)

    /// Runs the steps of one input, from bytes or from where another left off. Throws Refused.
    static func before(
        _ steps: [Step], _ given: Tensor, _ frame: inout Frame, _ supplied: Supplied
    ) throws -> Tensor {
        var value = given
        for step in steps {
            guard let run = before[step.op] else { throw unknown(step) }
            value = try run(value, &frame, step.options, supplied)
        }
        return value
    }

    /// The same from a photo that was never a file.
    static func before(
        _ steps: [Step], photo: Photo, _ frame: inout Frame, _ supplied: Supplied
    ) throws -> Tensor {
        guard let first = steps.first, first.op == "decode_image" else {
            throw WrongUse("this input takes no photo")
        }
        let pixels = try DecodeImage.pixels(of: photo, &frame, first.options)
        return try before(Array(steps.dropFirst()), pixels, &frame, supplied)
    }

    /// Runs the steps of outputs; each takes tensors by name and puts others in their place.
    static func after(_ steps: [Step], _ given: [String: Tensor], _ frame: Frame) throws -> [String: Tensor] {
        var tensors = given
        for step in steps where !words.contains(step.op) {
            guard let run = after[step.op] else { throw unknown(step) }
            try run(&tensors, step.of, frame, step.options)
        }
        return tensors
    }

    private static func unknown(_ step: Step) -> WrongUse {
        WrongUse("no operation of this side is named \"\(step.op)\"")
    }
}

/// The tensor of that name.
func named(_ tensors: [String: Tensor], _ of: String) throws -> Tensor {
    if let found = tensors[of] { return found }
    let known = tensors.keys.sorted().joined(separator: ", ")
    throw WrongUse("no tensor is named \"\(of)\"; there is \(known)")
}
