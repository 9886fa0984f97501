import Foundation

/// Raw input: a file, a photo from the camera, or a tensor for an input without steps.
public enum Raw {
    case bytes(Data)
    case image(Photo)
    case tensor(Tensor)
}

/// A bundle that can be asked.
///
/// `run` takes tensors, in the model's own names, layout and dtypes. `predict` takes raw input and
/// answers in words: labels and scores, boxes, a mask, a text.
public final class Model {
    public let manifest: Manifest
    public let steps: Steps?
    public let interpreter: Interpreter
    private let decoder: ImageDecoder?
    private let own: [String: OwnStep]
    private let binding: Binding

    /// `decoder` is needed where photos are files, `own` where the model has steps of its user's.
    public init(
        manifest: Manifest, steps: Steps?, interpreter: Interpreter, decoder: ImageDecoder? = nil,
        own: [String: OwnStep] = [:]
    ) {
        (self.manifest, self.steps, self.interpreter) = (manifest, steps, interpreter)
        (self.decoder, self.own) = (decoder, own)
        binding = Binding(manifest.signature, manifest.entries(golden: Manifest.tensors))
    }

    /// From the bytes of deploy-target.json and, where there is one, of steps.json.
    public static func open(
        manifest: Data, steps: Data?, interpreter: Interpreter, decoder: ImageDecoder? = nil,
        own: [String: OwnStep] = [:]
    ) throws -> Model {
        Model(
            manifest: try Manifest(manifest), steps: try steps.map { try Steps($0) },
            interpreter: interpreter, decoder: decoder, own: own)
    }

    /// Asks the artifact; a batch is split and filled up as its entries want it. Throws WrongUse
    /// where a name, a dtype or a shape is none of the model's.
    public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
        let calls = try binding.calls(inputs)
        let answers = try calls.map { try interpreter.run(entry: $0.entry.name, inputs: $0.feeds) }
        return try binding.answer(calls, answers)
    }

    /// What golden.safetensors holds of a raw question: bytes of inputs that have steps, else their
    /// tensors.
    public func raws(_ inputs: [String: Tensor]) -> [String: Raw] {
        var raws: [String: Raw] = [:]
        for (name, tensor) in inputs {
            raws[name] = steps?.inputs[name] == nil ? .tensor(tensor) : .bytes(Data(tensor.bytes()))
        }
        return raws
    }

    /// The answer in words. Throws Refused where raw input cannot be taken.
    public func predict(_ raw: [String: Raw]) throws -> Fields {
        let (steps, tensors) = try answered(raw)
        return try Words.said(steps.host, tensors, single: steps.single)
    }

    /// The same of the only input, as a file.
    public func predict(_ bytes: Data) throws -> Fields { try predict(only(.bytes(bytes))) }

    /// The same of the only input, as a photo: no file in between.
    public func predict(_ photo: Photo) throws -> Fields { try predict(only(.image(photo))) }

    /// The answer as tensors.
    public func predictTensors(_ raw: [String: Raw]) throws -> [String: Tensor] {
        try answered(raw).tensors
    }

    private func only(_ raw: Raw) throws -> [String: Raw] {
        let names = manifest.signature.inputs.map(\.name)
        if names.count == 1 { return [names[0]: raw] }
        let said = names.joined(separator: ", ")
        throw WrongUse("this model has several inputs, and takes them by name: \(said)")
    }

    private func answered(_ raw: [String: Raw]) throws -> (steps: Steps, tensors: [String: Tensor]) {
        guard let steps else {
            throw WrongUse("this model was built without steps around it: use run(), with tensors")
        }
        var frames: [String: Frame] = [:]
        var tensors: [String: Tensor] = [:]
        for (name, given) in raw {
            var frame = Frame()
            tensors[name] = try before(name, given, steps, &frame)
            if steps.inputs[name] != nil { frames[name] = frame }
        }
        var made = try run(tensors)
        for step in steps.host {
            let input = try step.options.textOrNil("input")
            let frame = input.flatMap { frames[$0] } ?? frames.values.first ?? Frame()
            made = try Operations.after([step], made, frame)
        }
        let pairs = steps.gives.compactMap { name in made[name].map { (name, $0) } }
        return (steps, Dictionary(uniqueKeysWithValues: pairs))
    }

    private func before(
        _ name: String, _ given: Raw, _ steps: Steps, _ frame: inout Frame
    ) throws -> Tensor {
        let supplied = Supplied(decoder: decoder, own: own)
        switch (given, steps.inputs[name]) {
        case (.tensor(let tensor), nil): return tensor
        case (.bytes(let bytes), let input?):
            return try named(name) {
                try Operations.before(input.host, Tensor(bytes: bytes), &frame, supplied)
            }
        case (.image(let photo), let input?):
            return try named(name) {
                try Operations.before(input.host, photo: photo, &frame, supplied)
            }
        case (_, nil): throw WrongUse("input \"\(name)\" has no steps: give it a tensor")
        case (.tensor, _): throw WrongUse("input \"\(name)\" has steps: give it a file or a photo")
        }
    }

    private func named(_ name: String, _ make: () throws -> Tensor) throws -> Tensor {
        do {
            return try make()
        } catch let error as Refused {
            throw Refused("input \"\(name)\": \(error.message)", status: error.status)
        }
    }
}
