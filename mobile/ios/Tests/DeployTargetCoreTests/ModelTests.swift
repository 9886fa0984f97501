import XCTest

@testable import DeployTargetCore

/// An artifact that can be told apart from any other: its answer is the input, in which the two last
/// axes have changed places, times two.
private struct Doubling: Interpreter {
    func run(entry: String, inputs: [String: Tensor]) throws -> [String: Tensor] {
        guard let x = inputs["args_0"], entry == "b1" else { throw WrongUse("no such call") }
        return ["output_0": Tensor(x.shape, x.floats().map { 2 * $0 })]
    }
}

final class ModelTests: XCTestCase {
    private static func spec(_ name: String, _ shape: String, _ kind: String = "plain") -> String {
        "{\"name\":\"\(name)\",\"dtype\":\"float32\",\"shape\":\(shape),\"kind\":\"\(kind)\",\"range\":null}"
    }

    private let manifest = Data("""
        {"schema":3,"name":"little","target":"tflite","options":{},"recipes":{},"files":{},
        "lanes":[{"name":"litert-1t","recipe":"fp32","required":true}],
        "bounds":{"fp32":{"tensors":{"scores":{"relative_l2":1e-6,"whole":2.5,"part":4.0,
        "element":"inf","budget":0.0,"jumps":0.0,"jump":0.0}}}},
        "signatures":{"tensors":{"batch":"batch","axes":[{"name":"batch","minimum":1,"maximum":4}],
        "inputs":[\(spec("x", "[\"batch\",2,3]"))],"outputs":[\(spec("scores", "[\"batch\",2,3]"))]}},
        "entries":[{"name":"b1","golden":"tensors","max_input_bytes":null,"max_output_bytes":null,
        "inputs":[{"of":"x","axes":[0,2,1],"spec":\(spec("args_0", "[1,3,2]"))}],
        "outputs":[{"of":"scores","axes":[0,2,1],"spec":\(spec("output_0", "[1,3,2]"))}]}]}
        """.utf8)

    private let steps = Data("""
        {"inputs":{"x":{"media":["text/csv"],"graph":null,"host":[
        {"op":"decode_table","of":"x","options":{"columns":["a","b","c"],"categories":{},"optional":[],
        "missing":[],"unknown":"refuse","extra":"ignore","header":false,"delimiter":",","max_rows":9}},
        {"op":"cast","of":"x","options":{"dtype":"float32"}},
        {"op":"arrange","of":"x","options":{"given":["r","c"],"to":["batch","r","c"]}}]}},
        "graph":null,"single":true,"gives":[{"name":"scores","dtype":"float32","shape":[1,2,3]}],
        "host":[{"op":"threshold","of":"scores","options":{"at":5.0}}]}
        """.utf8)

    private func model(_ steps: Data? = nil) throws -> Model {
        try Model.open(manifest: manifest, steps: steps, interpreter: Doubling())
    }

    func testTensorsGoThroughTheArtifactAndBack() throws {
        let x = Tensor([3, 2, 3], (0..<18).map { Float($0) })
        let answer = try model().run(["x": x])
        XCTAssertEqual(answer, ["scores": Tensor([3, 2, 3], (0..<18).map { Float(2 * $0) })])
    }

    func testAFileBecomesWords() throws {
        let answer = try model(steps).predict(Data("1,2,3\n4,5,6.5\n".utf8))
        XCTAssertEqual(
            Json.object(answer).written(), "{\"scores\":[[0.0,0.0,6.0],[8.0,10.0,13.0]]}")
    }

    func testARefusalNamesTheInput() throws {
        XCTAssertThrowsError(try model(steps).predict(Data("1,2\n".utf8))) { error in
            XCTAssertEqual(
                error as? Refused, Refused("input \"x\": row 1 has 2 values, expected 3"))
        }
    }

    func testAModelWithoutStepsSaysSo() throws {
        XCTAssertThrowsError(try model().predict(Data())) { error in
            XCTAssertTrue("\(error)".contains("use run()"))
        }
    }

    func testStepsThatAreLeftToAGraphAreRefused() throws {
        let text = String(decoding: steps, as: UTF8.self)
        let graph = text.replacingOccurrences(of: "\"graph\":null,\"host\"", with: "\"graph\":\"a.onnx\",\"host\"")
        XCTAssertThrowsError(try Steps(Data(graph.utf8))) { error in
            XCTAssertTrue("\(error)".contains("a.onnx"))
        }
        let odd = text.replacingOccurrences(of: "\"threshold\"", with: "\"treshold\"")
        XCTAssertThrowsError(try Steps(Data(odd.utf8))) { error in
            XCTAssertTrue("\(error)".contains("treshold"))
        }
    }

    private func golden(_ factor: Float) -> Data {
        let x: [Float] = [1, 2, 3, 4, 5, 6]
        return Safetensors.written([
            "tensors/sample|0/b1/in/args_0": Tensor([1, 3, 2], x),
            "tensors/sample|0/b1/out/output_0": Tensor([1, 3, 2], x.map { factor * $0 }),
        ])
    }

    func testGoldenCasesAreAskedAndJudged() throws {
        let (model, check) = (try model(), Check(try Manifest(manifest)))
        for (factor, passes) in [(Float(2), true), (2.001, false)] {
            let one = try Golden.read(golden(factor))[0]
            XCTAssertEqual(one.call, "sample/0")
            let answer = try model.interpreter.run(entry: one.entry, inputs: one.inputs)
            let rows = try check.judged(one, answer)
            XCTAssertEqual(rows.map(\.output), ["scores"])
            XCTAssertEqual(rows.map(\.passed), [passes], rows[0].reason)
        }
    }

    func testAnOutputTooManyOrOfAnotherDtypeFails() throws {
        let (check, one) = (Check(try Manifest(manifest)), try Golden.read(golden(2))[0])
        var answer = one.expected
        answer["more"] = Tensor([1], [0] as [Float])
        XCTAssertEqual(try check.judged(one, answer).map(\.passed), [true, false])
        let double = one.expected.mapValues { $0.cast(to: .float64) }
        XCTAssertEqual(try check.judged(one, double).map(\.passed), [false])
        XCTAssertEqual(try check.judged(one, [:]).map(\.reason), ["it is missing"])
        XCTAssertThrowsError(try check.judged(one, answer, lane: "gpu"))
    }

    func testARecordingSaysWhatRanWhereAndOfWhichBundle() throws {
        let read = try Manifest(manifest)
        var recording = Recording(read, lane: "litert-1t", runtime: "LiteRT 2.1", device: "iPhone")
        let one = try Golden.read(golden(2))[0]
        recording.add(one, one.expected)
        let file = try Safetensors(recording.written())
        XCTAssertEqual(file.names, ["tensors/sample/0/output_0"])
        XCTAssertEqual(file.metadata["manifest"], Sha256.hex(manifest))
        XCTAssertEqual(file.metadata["device"], "iPhone")
    }

    func testAManifestOfAnotherSchemaIsRefused() {
        let text = String(decoding: manifest, as: UTF8.self)
        let other = text.replacingOccurrences(of: "\"schema\":3", with: "\"schema\":2")
        XCTAssertThrowsError(try Manifest(Data(other.utf8))) { error in
            XCTAssertTrue(error is BundleDamaged, "\(error)")
        }
        XCTAssertThrowsError(try Manifest(Data("{".utf8))) { error in
            XCTAssertTrue(error is BundleDamaged, "\(error)")
        }
    }
}
