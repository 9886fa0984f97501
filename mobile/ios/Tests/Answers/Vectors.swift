import Foundation

@testable import DeployTargetCore

/// Pixels that were decoded before, by the SHA-256 of the file: no decoder of the platform is here.
struct Decoded: ImageDecoder {
    let photos: Safetensors

    func decode(_ bytes: Data, _ header: PhotoHeader) throws -> Photo {
        guard let pixels = photos[Sha256.hex(bytes)] else {
            throw Refused("the image is cut off or damaged: it cannot be decoded")
        }
        return try Photo(width: pixels.shape[1], height: pixels.shape[0], rgba: pixels.data)
    }
}

/// Each file's outputs as `<case>/<name>`, and what else there is of a case in `answers`.
func vectors(_ arguments: [String]) throws {
    let (folder, photos, into) = (arguments[0], arguments[1], arguments[2])
    let supplied = Supplied(decoder: Decoded(photos: try Safetensors(try read(photos))))
    for name in arguments.dropFirst(3) {
        let file = try Safetensors(try read("\(folder)/\(name).safetensors"))
        try write(try answered(file, supplied), "\(into)/\(name).safetensors")
    }
}

func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

func write(_ data: Data, _ path: String) throws { try data.write(to: URL(fileURLWithPath: path)) }

private func answered(_ file: Safetensors, _ supplied: Supplied) throws -> Data {
    guard case .object(let cases) = try Json.read(file.metadata["vectors"] ?? "") else {
        throw Failure("the file holds no vectors")
    }
    var (made, said): ([String: Tensor], Fields) = ([:], Fields())
    for name in cases.names {
        do {
            let (outputs, frame) = try answer(try cases.fields(name), given(name, file), supplied)
            for (of, tensor) in outputs { made["\(name)/\(of)"] = tensor }
            said.set(name, .object(Fields(["frame": written(frame)])))
        } catch let error as Refused {
            let about = Fields(["status": .int(error.status), "message": .text(error.message)])
            said.set(name, .object(Fields(["refused": .object(about)])))
        } catch {
            said.set(name, .object(Fields(["failed": .text("\(error)")])))
        }
    }
    return Safetensors.written(made, metadata: ["answers": Json.object(said).written()])
}

private func given(_ name: String, _ file: Safetensors) -> [String: Tensor] {
    let start = "\(name)/in/"
    var own: [String: Tensor] = [:]
    for key in file.names where key.hasPrefix(start) { own[String(key.dropFirst(start.count))] = file[key] }
    return own
}

private func answer(
    _ one: Fields, _ given: [String: Tensor], _ supplied: Supplied
) throws -> ([String: Tensor], Frame) {
    let steps = try one.objects("steps").map { try Step($0) }
    var frame = try read(one.fields("frame"))
    switch try one.text("side") {
    case "before":
        guard let start = given["bytes"] ?? given["value"] else { throw Failure("nothing is given") }
        return (["value": try Operations.before(steps, start, &frame, supplied)], frame)
    case "after": return (try Operations.after(steps, given, frame), frame)
    default:
        let tensors = try Operations.after(steps, given, frame)
        return (try inWords(steps, tensors, try one.flag("single")), frame)
    }
}

private func inWords(
    _ steps: [Step], _ tensors: [String: Tensor], _ single: Bool
) throws -> [String: Tensor] {
    var outputs: [String: Tensor] = [:]
    if let picture = try Words.picture(steps, tensors) { outputs["picture"] = Tensor(bytes: picture) }
    let said = try Words.said(steps, tensors, single: single)
    outputs["json"] = Tensor(bytes: Data(Json.object(said).written().utf8))
    return outputs
}

private func read(_ said: Fields) throws -> Frame {
    var frame = Frame()
    frame.size = try said.intsOrNil("size")
    frame.toModel = said.lacks("to_model") ? nil : try said.numbers("to_model")
    frame.rate = try said.intOrNil("rate")
    return frame
}

private func written(_ frame: Frame) -> Json {
    var said = Fields()
    if let size = frame.size { said.set("size", .list(size.map(Json.int))) }
    if let place = frame.toModel { said.set("to_model", .list(place.map(Json.double))) }
    if let rate = frame.rate { said.set("rate", .int(rate)) }
    return .object(said)
}
