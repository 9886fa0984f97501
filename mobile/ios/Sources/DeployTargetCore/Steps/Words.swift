import Foundation

/// The answer in words: labels and scores, boxes, a mask, a text.
///
/// In: the steps of all outputs and the tensors that they end in. Out: what can be written as JSON. A
/// step "label" says what an output is, and "palette" the colours of a mask; neither changes a tensor.
/// Each number comes back bit for bit when it is read as the tensor's dtype.
enum Words {
    /// The answer by output. `single`: one request is one item, and a leading axis of 1 is left out.
    /// Tensors that no step "label" speaks of are nested lists.
    static func said(_ steps: [Step], _ tensors: [String: Tensor], single: Bool) throws -> Fields {
        var left = tensors
        var said = Fields()
        for step in steps where step.op == "label" {
            said.set(step.of, try form(step, &left, colours(steps, step.of), single))
        }
        for (name, tensor) in left.sorted(by: { $0.key < $1.key }) {
            said.set(name, nested(tensor, single))
        }
        return said
    }

    /// The only mask of an answer as a PNG; nil where there is none, or more than one.
    static func picture(_ steps: [Step], _ tensors: [String: Tensor]) throws -> Data? {
        let masks = steps.filter { $0.op == "palette" }
        guard masks.count == 1 else { return nil }
        let mask = try named(tensors, masks[0].of)
        let (height, width) = (mask.shape[1], mask.shape[2])
        let pixels = Array(mask.bytes()[..<(height * width)])
        return Png.written(pixels, height, width, try colours(steps, masks[0].of))
    }

    private static func form(
        _ step: Step, _ left: inout [String: Tensor], _ colours: [[Int]], _ single: Bool
    ) throws -> Json {
        let labels = try step.options.textsOrNil("labels")
        switch try step.options.text("says") {
        case "classes": return one(try classes(&left, step, labels), single)
        case "boxes": return .list(try boxes(&left, step.of, labels))
        case "mask": return one(try masks(&left, step.of, labels, colours), single)
        case "text": return try text(&left, step, labels)
        case let other: throw WrongUse("no answer is said as \"\(other)\"")
        }
    }

    private static func classes(
        _ left: inout [String: Tensor], _ step: Step, _ labels: [String]?
    ) throws -> [Json] {
        let indices = left["\(step.of).indices"].map { _ in "\(step.of).indices" }
        let places = try indices.map { try take(&left, $0).longs() }
        let scores = try take(&left, indices == nil ? step.of : "\(step.of).scores")
        let around = try Around(scores.shape, -1)
        let (worth, zeros) = (scores.doubles(), try step.options.flag("zeros"))
        return try (0..<around.outer).map { row in
            let start = row * around.along
            var order = Array(0..<around.along)
            if !zeros {
                let own = Array(worth[start..<start + around.along])
                order = Scores.descending(own).filter { own[$0] != 0 }
            }
            return .list(try order.map { place in
                let index = places.map { Int($0[start + place]) } ?? place
                var said = try labelled(labels, index)
                said.set("index", .int(index))
                said.set("score", Numbers.said(worth[start + place], scores.dtype))
                return .object(said)
            })
        }
    }

    private static func boxes(
        _ left: inout [String: Tensor], _ of: String, _ labels: [String]?
    ) throws -> [Json] {
        let found = try take(&left, of)
        let rows = found.doubles()
        return try (0..<found.shape[0]).map { i in
            let row = rows[6 * i..<6 * i + 6].map { $0 }
            guard let kind = Int(exactly: row[5].rounded(.towardZero)) else {
                throw WrongUse("\"\(of)\" holds a class that is no number")
            }
            var said = try labelled(labels, kind)
            said.set("class", .int(kind))
            said.set("score", Numbers.said(row[4], found.dtype))
            said.set("box", .list(row[..<4].map { Numbers.said($0, found.dtype) }))
            return .object(said)
        }
    }

    private static func masks(
        _ left: inout [String: Tensor], _ of: String, _ labels: [String]?, _ colours: [[Int]]
    ) throws -> [Json] {
        let mask = try take(&left, of)
        let (height, width) = (mask.shape[1], mask.shape[2])
        let all = mask.bytes()
        return try (0..<mask.shape[0]).map { item in
            let pixels = Array(all[item * height * width..<(item + 1) * height * width])
            let png = Png.written(pixels, height, width, colours)
            return .object(Fields([
                "size": .list([.int(height), .int(width)]),
                "png": .text(png.base64EncodedString()),
                "classes": .list(try shares(pixels, labels)),
            ]))
        }
    }

    /// How much of a mask each class has, largest first, of equal ones the lower class.
    private static func shares(_ pixels: [UInt8], _ labels: [String]?) throws -> [Json] {
        var counts = [Double](repeating: 0, count: 256)
        for kind in pixels { counts[Int(kind)] += 1 }
        return try Scores.descending(counts).filter { counts[$0] > 0 }.map { kind in
            var said = try labelled(labels, kind)
            said.set("index", .int(kind))
            said.set("share", .double(counts[kind] / Double(pixels.count)))
            return .object(said)
        }
    }

    private static func text(
        _ left: inout [String: Tensor], _ step: Step, _ labels: [String]?
    ) throws -> Json {
        let ids = try take(&left, step.of).longs().map { Int($0) }
        let said: Json = .list(ids.map(Json.int))
        guard let labels else { return .object(Fields(["ids": said])) }
        var text = try ids.map { try label(labels, $0) }.joined()
        if let space = try step.options.textOrNil("space"), !space.isEmpty {
            text = Blanks.strip(text.replacingOccurrences(of: space, with: " ", options: .literal))
        }
        return .object(Fields(["text": .text(text), "ids": said]))
    }

    /// The tensor of that name, which no one else is to speak of.
    private static func take(_ left: inout [String: Tensor], _ name: String) throws -> Tensor {
        let found = try named(left, name)
        left[name] = nil
        return found
    }

    private static func labelled(_ labels: [String]?, _ index: Int) throws -> Fields {
        var said = Fields()
        if let labels { said.set("label", .text(try label(labels, index))) }
        return said
    }

    private static func label(_ labels: [String], _ index: Int) throws -> String {
        if labels.indices.contains(index) { return labels[index] }
        throw WrongUse("there is no label \(index) among \(labels.count)")
    }

    private static func one(_ rows: [Json], _ single: Bool) -> Json {
        single && rows.count == 1 ? rows[0] : .list(rows)
    }

    private static func colours(_ steps: [Step], _ of: String) throws -> [[Int]] {
        guard let step = steps.first(where: { $0.op == "palette" && $0.of == of }) else { return [] }
        return try step.options.list("colours").map { colour in
            try Fields(["colour": colour]).ints("colour")
        }
    }

    /// A tensor as nested lists.
    private static func nested(_ tensor: Tensor, _ single: Bool) -> Json {
        let sizes = single && tensor.shape.first == 1 ? Array(tensor.shape.dropFirst()) : tensor.shape
        let items = Numbers.said(tensor)
        func part(_ axis: Int, _ from: Int) -> Json {
            guard axis < sizes.count else { return items[from] }
            let step = sizes[(axis + 1)...].reduce(1, *)
            return .list((0..<sizes[axis]).map { part(axis + 1, from + $0 * step) })
        }
        return part(0, 0)
    }
}
