import XCTest

@testable import DeployTargetCore

final class TensorTests: XCTestCase {
    func testEveryHalfComesBackAsItWas() {
        for bits in UInt16.min...UInt16.max {
            let value = Half.value(of: bits)
            if value.isNaN { continue }
            XCTAssertEqual(Half.bits(of: value), bits)
        }
    }

    func testHalfRoundsToTheEvenNeighbour() {
        XCTAssertEqual(Half.bits(of: 2049), Half.bits(of: 2048))
        XCTAssertEqual(Half.bits(of: 2051), Half.bits(of: 2052))
        XCTAssertEqual(Half.bits(of: 65519.9), 0x7bff)
        XCTAssertEqual(Half.bits(of: 65520), 0x7c00)
        XCTAssertEqual(Half.bits(of: 0x1p-25), 0)
        XCTAssertEqual(Half.bits(of: 0x1.8p-24), 2)
    }

    func testBytesThatAreNotTheShapeAreRefused() {
        XCTAssertThrowsError(try Tensor(dtype: .int64, shape: [2], data: Data(count: 15)))
        XCTAssertThrowsError(try Tensor(dtype: .uint8, shape: [Int.max, 4], data: Data()))
    }

    func testANameThatIsNoDtypeIsNamed() {
        XCTAssertThrowsError(try DType.named("float")) { error in
            XCTAssertTrue("\(error)".contains("\"float\""))
        }
    }

    func testCastingKeepsWhatTheOtherDtypeHolds() {
        let given = Tensor([4], [1.5, -2.5, 300, .nan] as [Float])
        XCTAssertEqual(given.cast(to: .int32).longs(), [1, -2, 300, 0])
        XCTAssertEqual(given.cast(to: .float16).doubles()[2], 300)
        XCTAssertEqual(Tensor([1], [Int64.max]).cast(to: .int32).longs(), [-1])
    }

    func testAPermutationComesBackByItsInverse() {
        let given = Tensor([2, 3, 4], (0..<24).map { Int32($0) })
        let turned = given.permuted([2, 0, 1])
        XCTAssertEqual(turned.shape, [4, 2, 3])
        XCTAssertEqual(turned.longs().prefix(4), [0, 4, 8, 12])
        XCTAssertEqual(turned.permuted(inverse([2, 0, 1])), given)
    }
}
