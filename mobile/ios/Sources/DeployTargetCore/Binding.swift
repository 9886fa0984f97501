/// The model's terms <-> the artifact's terms, as the build wrote them down in the manifest.
///
/// In: tensors in the model's names and layout. Out: the calls that ask them of the artifact, and its
/// answers back in the model's. Names, permutations, casts, and a batch that is split or filled up
/// where an entry takes only so many at once.
public struct Binding {
    /// One call. `rows` of the batch, nil for all; of the answer the first `kept` count.
    public struct Call {
        public let entry: Entry
        public let rows: [Int]?
        public let kept: Int
        public let feeds: [String: Tensor]
    }

    private struct Part {
        let entry: Entry
        let rows: [Int]?
        let kept: Int
    }

    private let signature: Signature
    private let entries: [Entry]

    public init(_ signature: Signature, _ entries: [Entry]) {
        (self.signature, self.entries) = (signature, entries)
    }

    /// The calls that ask these tensors. Throws WrongUse where no entry takes them.
    public func calls(_ tensors: [String: Tensor]) throws -> [Call] {
        try check(tensors)
        let sizes = sizes(of: tensors)
        return try plan(tensors, sizes).map { part in
            var feeds: [String: Tensor] = [:]
            for port in part.entry.inputs {
                feeds[port.spec.name] = try fed(port, part.rows, tensors, sizes)
            }
            return Call(entry: part.entry, rows: part.rows, kept: part.kept, feeds: feeds)
        }
    }

    /// The answers to all calls as one, in the model's terms. Throws WrongUse where one is missing.
    public func answer(_ calls: [Call], _ answers: [[String: Tensor]]) throws -> [String: Tensor] {
        var whole: [String: Tensor] = [:]
        for spec in signature.outputs {
            let axis = batchAxis(spec, signature.batch)
            let pieces = try zip(calls, answers).compactMap { call, came in
                try piece(spec, axis, call, came)
            }
            if !pieces.isEmpty { whole[spec.name] = try Tensor.joined(pieces, axis ?? 0) }
        }
        return whole
    }

    private func piece(
        _ spec: Spec, _ axis: Int?, _ call: Call, _ came: [String: Tensor]
    ) throws -> Tensor? {
        guard let port = call.entry.outputs.first(where: { $0.of == spec.name }) else { return nil }
        guard let tensor = came[port.spec.name] else {
            throw WrongUse("the artifact gave no \"\(port.spec.name)\", which \(call.entry.name) has")
        }
        if let axes = port.axes, axes.count != tensor.shape.count {
            throw WrongUse("the artifact gave \"\(port.spec.name)\" as \(tensor.shape)")
        }
        let back = try stored(tensor.permuted(inverse(port.axes)), spec.name, spec.dtype)
        guard let rows = call.rows else { return back }
        return try back.taken(axis, of: rows.count, rows: Array(0..<call.kept))
    }

    private func fed(
        _ port: Port, _ rows: [Int]?, _ tensors: [String: Tensor], _ sizes: [String: Int]
    ) throws -> Tensor {
        guard var tensor = tensors[port.of] else { throw WrongUse("input \"\(port.of)\" is missing") }
        if let rows, let spec = signature.inputs.first(where: { $0.name == port.of }) {
            let axis = batchAxis(spec, signature.batch)
            tensor = try tensor.taken(axis, of: sizes[signature.batch ?? ""] ?? 1, rows: rows)
        }
        return try stored(tensor, port.of, port.spec.dtype).permuted(port.axes)
    }

    private func plan(_ tensors: [String: Tensor], _ sizes: [String: Int]) throws -> [Part] {
        let batch = signature.batch
        var fits: [Int: Entry] = [:]
        var any: Entry?
        for entry in entries where Set(entry.inputs.map(\.of)) == Set(tensors.keys) {
            let fixed = fixedSizes(entry)
            guard fixed.allSatisfy({ $0.key == batch || sizes[$0.key] == $0.value }) else { continue }
            if let size = batch.flatMap({ fixed[$0] }) {
                fits[size] = fits[size] ?? entry
            } else {
                any = any ?? entry
            }
        }
        if let any { return [Part(entry: any, rows: nil, kept: 0)] }
        if fits.isEmpty { throw WrongUse("nothing in the artifact takes \(said(tensors))") }
        return try parts(fits, sizes[batch ?? ""] ?? 1)
    }

    private func parts(_ fits: [Int: Entry], _ count: Int) throws -> [Part] {
        if let entry = fits[count] { return [Part(entry: entry, rows: Array(0..<count), kept: count)] }
        if let whole = signature.outputs.first(where: { batchAxis($0, signature.batch) == nil }) {
            let axis = signature.batch ?? ""
            throw WrongUse("\"\(whole.name)\" has no axis \(axis), so that a batch cannot be split")
        }
        return Binding.split(count, Array(fits.keys)).compactMap { size, rows, kept in
            fits[size].map { Part(entry: $0, rows: rows, kept: kept) }
        }
    }

    /// Rows of each call; the last is filled up by repetition: split(3, [2]) is rows [0, 1], [2, 2].
    static func split(_ count: Int, _ sizes: [Int]) -> [(size: Int, rows: [Int], kept: Int)] {
        var parts: [(size: Int, rows: [Int], kept: Int)] = []
        var at = 0
        while at < count, let least = sizes.min() {
            let size = sizes.filter { $0 <= count - at }.max() ?? least
            let rows = (0..<size).map { min(at + $0, count - 1) }
            parts.append((size, rows, min(size, count - at)))
            at += size
        }
        return parts
    }

    /// The axes of the model that an entry has nailed down.
    private func fixedSizes(_ entry: Entry) -> [String: Int] {
        var fixed: [String: Int] = [:]
        for port in entry.inputs {
            let shape = signature.inputs.first { $0.name == port.of }?.shape ?? []
            for (place, mine) in port.spec.shape.enumerated() {
                let axis = port.axes?[place] ?? place
                if shape.indices.contains(axis), case .named(let name) = shape[axis],
                    case .fixed(let size) = mine
                {
                    fixed[name] = size
                }
            }
        }
        return fixed
    }

    private func sizes(of tensors: [String: Tensor]) -> [String: Int] {
        var sizes: [String: Int] = [:]
        for spec in signature.inputs {
            for (dim, size) in zip(spec.shape, tensors[spec.name]?.shape ?? []) {
                if case .named(let name) = dim, sizes[name] == nil { sizes[name] = size }
            }
        }
        return sizes
    }

    private func said(_ tensors: [String: Tensor]) -> String {
        tensors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape)" }.joined(separator: ", ")
    }
}

extension Binding {
    /// Whether these are the model's inputs. Throws WrongUse, naming the one that is not.
    private func check(_ tensors: [String: Tensor]) throws {
        let known = signature.inputs.map(\.name)
        if let odd = tensors.keys.sorted().first(where: { !known.contains($0) }) {
            let names = known.joined(separator: ", ")
            throw WrongUse("no input is named \"\(odd)\"; this model takes \(names)")
        }
        var sizes: [String: Int] = [:]
        for spec in signature.inputs {
            guard let tensor = tensors[spec.name] else {
                throw WrongUse("input \"\(spec.name)\" is missing: expected \(wanted(spec))")
            }
            guard tensor.dtype == spec.dtype, tensor.shape.count == spec.shape.count,
                zip(spec.shape, tensor.shape).allSatisfy({ agrees($0, $1, &sizes) })
            else {
                throw WrongUse(
                    "input \"\(spec.name)\" is \(tensor.dtype.rawValue) \(tensor.shape), "
                        + "expected \(wanted(spec))")
            }
        }
    }

    private func agrees(_ dim: Dim, _ size: Int, _ sizes: inout [String: Int]) -> Bool {
        switch dim {
        case .fixed(let expected): return size == expected
        case .named(let name):
            let known = sizes[name] ?? size
            sizes[name] = known
            guard let axis = signature.axes.first(where: { $0.name == name }) else { return known == size }
            return known == size && axis.minimum <= size && size <= axis.maximum
        }
    }

    private func wanted(_ spec: Spec) -> String {
        let sizes = spec.shape.map { dim -> String in
            switch dim {
            case .fixed(let size): return "\(size)"
            case .named(let name):
                guard let axis = signature.axes.first(where: { $0.name == name }) else { return name }
                return "\(name): \(axis.minimum) to \(axis.maximum)"
            }
        }
        return "\(spec.dtype.rawValue) [\(sizes.joined(separator: ", "))]"
    }
}

/// Where the batch lies, also within a product such as "batch*time".
func batchAxis(_ spec: Spec, _ batch: String?) -> Int? {
    guard let batch else { return nil }
    return spec.shape.firstIndex { dim in
        guard case .named(let name) = dim else { return false }
        return name == batch || name.hasPrefix(batch + "*")
    }
}

/// A tensor in another dtype. Throws WrongUse for whole numbers that it cannot hold.
func stored(_ tensor: Tensor, _ name: String, _ dtype: DType) throws -> Tensor {
    if tensor.dtype == dtype { return tensor }
    let made = tensor.cast(to: dtype)
    guard !dtype.isFloat, dtype != .bool else { return made }
    let wrong: Int?
    if tensor.dtype.isFloat {
        wrong = tensor.doubles().firstIndex { !(dtype.limits ?? 0...0).contains($0.rounded(.towardZero)) }
    } else {
        let (given, back) = (tensor.longs(), made.longs())
        let turned = tensor.dtype == .uint64 || dtype == .uint64
        wrong = given.indices.first { given[$0] != back[$0] || (turned && given[$0] < 0) }
    }
    if let wrong {
        let value = tensor.dtype.isFloat ? "\(tensor.doubles()[wrong])" : "\(tensor.longs()[wrong])"
        throw WrongUse("\"\(name)\" holds \(value), which is beyond \(dtype.rawValue)")
    }
    return made
}
