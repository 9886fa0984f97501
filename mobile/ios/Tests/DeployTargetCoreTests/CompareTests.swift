import XCTest

@testable import DeployTargetCore

final class CompareTests: XCTestCase {
    private let bound = Bound(
        relativeL2: 1e-6, whole: 2.5, part: 4, element: 32, budget: 0, jumps: 0, jump: 0)

    private func reason(_ want: Tensor, _ got: Tensor?, kind: String = "plain") -> String {
        Compare.compared(want: want, got: got, noise: nil, bound: bound, batch: 0, kind: kind).reason
    }

    func testTheSameIsWithin() {
        let want = Tensor([2, 2], [1, .nan, -.infinity, 0] as [Float])
        XCTAssertEqual(reason(want, want), "")
    }

    func testWhatIsMissingOrOfAnotherShapeIsNot() {
        let want = Tensor([2], [1, 2] as [Float])
        XCTAssertEqual(reason(want, nil), "it is missing")
        XCTAssertEqual(reason(want, Tensor([1, 2], [1, 2] as [Float])), "its shape is [1, 2], expected [2]")
    }

    func testANumberThatIsNoneFails() {
        let want = Tensor([2], [1, 2] as [Float])
        XCTAssertNotEqual(reason(want, Tensor([2], [1, .nan] as [Float])), "")
        XCTAssertNotEqual(reason(want, Tensor([2], [1, .infinity] as [Float])), "")
    }

    func testALabelIsTheSameOrItIsNot() {
        let want = Tensor([4], [1, 2, 3, 4] as [Int64])
        XCTAssertEqual(reason(want, want.cast(to: .int32)), "")
        let got = Tensor([4], [1, 2, 3, 5] as [Int32])
        XCTAssertEqual(reason(want, got), "1 of 4 elements differ, allowed 0")
    }

    func testBoxesMayComeInAnotherOrder() {
        let rows: [[Float]] = [[1, 2, 3, 4, 0.5, 1], [5, 6, 7, 8, 0.5, 0]]
        let want = Tensor([1, 2, 6], rows.flatMap { $0 })
        let turned = Tensor([1, 2, 6], rows.reversed().flatMap { $0 })
        XCTAssertEqual(reason(want, turned, kind: "detection"), "")
        XCTAssertNotEqual(reason(want, turned), "")
    }
}
