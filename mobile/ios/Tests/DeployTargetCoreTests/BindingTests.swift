import XCTest

@testable import DeployTargetCore

final class BindingTests: XCTestCase {
    private func spec(_ name: String, _ dtype: DType, _ shape: [Dim]) -> Spec {
        Spec(name: name, dtype: dtype, shape: shape, kind: "plain")
    }

    private var signature: Signature {
        Signature(
            inputs: [
                spec("image", .float32, [.named("batch"), .fixed(2), .fixed(3)]),
                spec("ids", .int64, [.named("batch")]),
            ],
            outputs: [spec("answer", .float32, [.named("batch*time"), .fixed(2)])],
            axes: [Axis(name: "batch", minimum: 1, maximum: 6)], batch: "batch")
    }

    /// The artifact wants the channels last and 32 bits, and takes `size` items.
    private func entry(_ size: Int) -> Entry {
        let image = spec("image", .float32, [.fixed(size), .fixed(3), .fixed(2)])
        return Entry(
            name: "b\(size)",
            inputs: [
                Port(spec: image, of: "image", axes: [0, 2, 1]),
                Port(spec: spec("ids_0", .int32, [.fixed(size)]), of: "ids", axes: nil),
            ],
            outputs: [
                Port(spec: spec("out", .float32, [.fixed(2), .fixed(2 * size)]), of: "answer", axes: [1, 0])
            ], golden: "tensors")
    }

    private func inputs(_ count: Int) -> [String: Tensor] {
        [
            "image": Tensor([count, 2, 3], (0..<count * 6).map { Float($0) }),
            "ids": Tensor([count], (0..<count).map { Int64($0) }),
        ]
    }

    /// Two rows of the answer for each item: the sums of its channels, and its number twice.
    private func artifact(_ feeds: [String: Tensor]) throws -> [String: Tensor] {
        guard let image = feeds["image"], let ids = feeds["ids_0"] else { throw WrongUse("no feeds") }
        XCTAssertEqual(ids.dtype, .int32)
        let given = image.permuted([0, 2, 1]).floats()
        var rows: [Float] = []
        for item in 0..<image.shape[0] {
            for channel in 0..<2 {
                let start = item * 6 + channel * 3
                rows += [given[start..<start + 3].reduce(0, +), Float(ids.longs()[item])]
            }
        }
        return ["out": Tensor([2 * image.shape[0], 2], rows).permuted([1, 0])]
    }

    func testABatchIsSplitFilledUpAndPutTogether() throws {
        let binding = Binding(signature, [entry(1), entry(4)])
        for count in 1...6 {
            let calls = try binding.calls(inputs(count))
            let answer = try binding.answer(calls, try calls.map { try artifact($0.feeds) })
            var sums: [Float] = []
            for item in 0..<count {
                let first = 6 * item
                sums += [Float(3 * first + 3), Float(item), Float(3 * first + 12), Float(item)]
            }
            XCTAssertEqual(answer, ["answer": Tensor([2 * count, 2], sums)], "\(count) items")
        }
    }

    func testTheLastCallIsFilledUpByRepetition() {
        let parts = Binding.split(5, [4, 1])
        XCTAssertEqual(parts.map(\.rows), [[0, 1, 2, 3], [4]])
        let filled = Binding.split(3, [2])
        XCTAssertEqual(filled.map(\.rows), [[0, 1], [2, 2]])
        XCTAssertEqual(filled.map(\.kept), [2, 1])
    }

    func testAWholeNumberThatDoesNotFitIsRefused() {
        var given = inputs(1)
        given["ids"] = Tensor([1], [Int64(1) << 31])
        XCTAssertThrowsError(try Binding(signature, [entry(1)]).calls(given)) { error in
            XCTAssertEqual("\(error)", "\"ids\" holds 2147483648, which is beyond int32")
        }
        given["ids"] = Tensor([1], [Int64(Int32.min)])
        XCTAssertNoThrow(try Binding(signature, [entry(1)]).calls(given))
    }

    func testAMistakeIsNamedWithWhatWasExpected() {
        let binding = Binding(signature, [entry(1)])
        func said(_ change: (inout [String: Tensor]) -> Void) -> String {
            var given = inputs(1)
            change(&given)
            do {
                _ = try binding.calls(given)
                return ""
            } catch { return "\(error)" }
        }
        XCTAssertTrue(said { $0["imgae"] = $0["image"] }.contains("no input is named \"imgae\""))
        XCTAssertTrue(said { $0["ids"] = nil }.contains("input \"ids\" is missing: expected int64"))
        XCTAssertTrue(said { $0["ids"] = $0["ids"]?.cast(to: .int32) }.contains("is int32 [1]"))
        XCTAssertTrue(said { $0 = self.inputs(7) }.contains("batch: 1 to 6"))
        XCTAssertTrue(said { $0["ids"] = self.inputs(2)["ids"] }.contains("\"ids\""))
    }

    func testWhatNoEntryTakesIsRefused() {
        XCTAssertThrowsError(try Binding(signature, []).calls(inputs(1))) { error in
            XCTAssertTrue("\(error)".contains("nothing in the artifact takes"))
        }
    }

    func testAnAnswerThatIsMissingIsNamed() throws {
        let binding = Binding(signature, [entry(1)])
        let calls = try binding.calls(inputs(1))
        XCTAssertThrowsError(try binding.answer(calls, [[:]])) { error in
            XCTAssertTrue("\(error)".contains("\"out\""))
        }
    }
}
