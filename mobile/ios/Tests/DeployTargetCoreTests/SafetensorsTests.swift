import XCTest

@testable import DeployTargetCore

final class SafetensorsTests: XCTestCase {
    private let tensors: [String: Tensor] = [
        "a/b": Tensor([2, 2], [1, 2, 3, 4] as [Float]),
        "empty": Tensor([0, 3], [] as [Int64]),
        "scalar": Tensor([], [7] as [UInt8]),
        "z": Tensor([3], [-1, 0, Int64.max]),
    ]

    func testWhatIsWrittenIsReadAgain() throws {
        let file = Safetensors.written(tensors, metadata: ["why": "a \"test\""])
        let read = try Safetensors(file)
        XCTAssertEqual(read.tensors, tensors)
        XCTAssertEqual(read.metadata, ["why": "a \"test\""])
        XCTAssertEqual(read.names, ["a/b", "empty", "scalar", "z"])
    }

    func testASliceOfAFileIsReadAsTheWhole() throws {
        let file = Data([0]) + Safetensors.written(tensors)
        XCTAssertEqual(try Safetensors(file.dropFirst()).tensors, tensors)
    }

    func testAFileThatIsCutOffIsDamagedWhereverItIsCut() {
        let file = Safetensors.written(tensors)
        for count in 0..<file.count {
            XCTAssertThrowsError(try Safetensors(file.prefix(count)), "\(count) bytes") { error in
                XCTAssertTrue(error is BundleDamaged, "\(error)")
            }
        }
    }

    func testAHeaderThatPromisesTooMuchIsDamaged() {
        for head in [
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1,-4],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-4,0]}}",
            "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952,2],\"data_offsets\":[0,0]}}",
        ] {
            let size = withUnsafeBytes(of: UInt64(head.utf8.count)) { Data($0) }
            XCTAssertThrowsError(try Safetensors(size + Data(head.utf8) + Data(count: 4)), head)
        }
        XCTAssertThrowsError(try Safetensors(Data(repeating: 0xff, count: 64)))
    }

    func testTheDigestIsThatOfTheStandard() {
        let expected = [
            "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ]
        for (text, digest) in expected { XCTAssertEqual(Sha256.hex(Data(text.utf8)), digest) }
    }
}
