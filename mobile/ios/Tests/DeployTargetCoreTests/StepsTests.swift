import XCTest

@testable import DeployTargetCore

/// A step of the user's that gives whatever it is told to.
private struct Given: OwnStep {
    let make: (Tensor) -> Tensor

    func run(_ value: Tensor) throws -> Tensor { make(value) }
}

/// What the vectors do not ask: steps of the user's, photos from the camera, FLAC and OGG.
final class StepsTests: XCTestCase {
    private let options: Fields = Fields([
        "name": .text("louder"), "dtype": .text("float32"), "keeps": .flag(true),
        "shape": .list([.text("n"), .int(2)]),
    ])
    private let value = Tensor([1, 2], [1, 2] as [Float])

    private func own(_ make: @escaping (Tensor) -> Tensor) throws -> Tensor {
        try Own.own(value, options, Supplied(own: ["louder": Given(make: make)]))
    }

    func testAnOwnStepIsHeldToWhatItMayGive() throws {
        let doubled = Tensor([1, 2], [2, 4] as [Float])
        XCTAssertEqual(try own { _ in doubled }, doubled)
        for wrong in [
            doubled.cast(to: .float64), Tensor([2], [2, 4] as [Float]),
            Tensor([1, 3], [1, 2, 3] as [Float]), Tensor([2, 2], [1, 2, 3, 4] as [Float]),
        ] {
            XCTAssertThrowsError(try own { _ in wrong }) { error in
                XCTAssertTrue("\(error)".hasPrefix("own step louder: gave"), "\(error)")
            }
        }
    }

    func testAnOwnStepThatNobodyGaveIsNamed() {
        XCTAssertThrowsError(try Own.own(value, options, Supplied())) { error in
            XCTAssertTrue("\(error)".contains("\"louder\""))
        }
    }

    func testAPhotoFromTheCameraNeedsNoDecoder() throws {
        let photo = try Photo(width: 2, height: 1, rgba: Data([1, 2, 3, 255, 4, 5, 6, 0]))
        var frame = Frame()
        let pixels = try DecodeImage.pixels(of: photo, &frame, Fields([
            "mode": .text("rgb"), "orientation": .text("exif"), "alpha": .text("white"),
        ]))
        XCTAssertEqual(pixels, Tensor([1, 2, 3], [1, 2, 3, 255, 255, 255] as [UInt8]))
        XCTAssertEqual(frame.size, [1, 2])
        XCTAssertThrowsError(try Photo(width: 2, height: 2, rgba: Data(count: 15)))
    }

    func testOtherRecordingsThanWavAreRefusedInWords() {
        let options: Fields = Fields([
            "channels": .text("mono"), "amplitude": .double(1), "max_seconds": .double(1),
        ])
        for (name, said) in [("fLaC", "FLAC"), ("OggS", "OGG")] {
            var frame = Frame()
            let file = Tensor(bytes: Data(name.utf8) + Data(count: 99))
            XCTAssertThrowsError(try DecodeAudio.decoded(file, &frame, options)) { error in
                XCTAssertEqual((error as? Refused)?.status, 415)
                XCTAssertTrue("\(error)".contains("\(said) is not decoded"))
            }
        }
    }

    func testAHeaderIsReadBeforeAnyDecoderIsAsked() {
        var frame = Frame()
        let bmp = Data("BM".utf8) + Data(count: 12) + Data([40, 0, 0, 0, 100, 0, 0, 0, 100, 0, 0, 0, 1, 0, 24, 0])
        let options: Fields = Fields([
            "mode": .text("rgb"), "orientation": .text("ignore"), "alpha": .text("drop"),
            "max_pixels": .int(9_999), "max_ratio": .null,
        ])
        let file = Tensor(bytes: bmp + Data(count: 40_000))
        XCTAssertThrowsError(try DecodeImage.decoded(file, &frame, options, Supplied())) { error in
            XCTAssertEqual((error as? Refused)?.status, 413)
        }
    }

    func testSidesThatCannotBeMultipliedAreTooLarge() {
        let most = Data(repeating: 0xff, count: 8)
        var chunk = Data("IHDR".utf8) + most + Data([8, 2, 0, 0, 0])
        chunk.append(contentsOf: Png.bigEndian(Int(Png.crc(chunk))))
        let png = Data([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13]) + chunk
        let long = Data([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0x80, 1, 0, 0xff, 0xff])
        let bmp = Data("BM".utf8) + Data(count: 12) + Data([40, 0, 0, 0]) + long + Data(count: 40)
        for file in [png, bmp] {
            XCTAssertThrowsError(try PhotoFile.header(file)) { error in
                XCTAssertEqual((error as? Refused)?.status, 413, "\(error)")
            }
        }
    }

    func testBytesFromAnybodyAreAnsweredOrRefused() throws {
        var seed: UInt64 = 1
        func random() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 33
        }
        let heads: [[UInt8]] = [
            [0xff, 0xd8, 0xff, 0xe1], [0x89, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82],
            Array("RIFF\0\0\0\0WEBPVP8X".utf8), Array("GIF89a".utf8), Array("BM".utf8),
            Array("RIFF\0\0\0\0WAVEfmt ".utf8), Array("RF64\0\0\0\0WAVEds64".utf8),
        ]
        let options: Fields = Fields([
            "channels": .text("mono"), "amplitude": .double(1), "max_seconds": .double(1),
        ])
        var refused = 0
        for round in 0..<4000 {
            let count = Int(random() % 120)
            let noise = (0..<count).map { _ in random() % 3 == 0 ? 0xff : UInt8(random() % 256) }
            let file = Data(heads[round % heads.count] + noise)
            var frame = Frame()
            do { _ = try PhotoFile.header(file) } catch is Refused { refused += 1 }
            do {
                _ = try DecodeAudio.decoded(Tensor(bytes: file), &frame, options)
            } catch is Refused { refused += 1 }
        }
        XCTAssertGreaterThan(refused, 4000)
    }
}
