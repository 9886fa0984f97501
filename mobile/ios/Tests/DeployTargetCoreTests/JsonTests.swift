import XCTest

@testable import DeployTargetCore

final class JsonTests: XCTestCase {
    func testANumberIsKeptAsItIsWritten() throws {
        let said = try Json.read("[5, 5.0, 12345678901234567890, -0.1e-3]")
        XCTAssertEqual(said.written(), "[5,5.0,12345678901234567890,-0.1e-3]")
    }

    func testWhatPythonRefusesIsRefused() {
        let wrong = [
            "", "{", "[1,]", "{\"a\":1,}", "01", "1.", "[1] 2", "NaN", "-Infinity", "'a'", "\"a", "\"\\x\"",
            "\"\n\"", "{\"a\":1,\"a\":2}", "tru", "\"\\u12\"", "+1", ".5", "1e",
        ]
        for text in wrong { XCTAssertThrowsError(try Json.read(text), text) }
    }

    func testTwoSpellingsOfALetterAreTwoNames() throws {
        let said = try Json.read("{\"\u{e9}\": 1, \"e\u{301}\": 2}")
        guard case .object(let fields) = said else { return XCTFail("no object") }
        XCTAssertEqual(try fields.int("\u{e9}"), 1)
        XCTAssertEqual(try fields.int("e\u{301}"), 2)
    }

    func testEscapesAreReadAndWritten() throws {
        let said = try Json.read("\"\\u00fc\\ud83d\\ude00\\n\\/\"")
        XCTAssertEqual(said, .text("ü😀\n/"))
        XCTAssertEqual(Json.text("\u{1}\"\\\n").written(), "\"\\u0001\\\"\\\\\\n\"")
    }

    func testNestingWithoutEndIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        XCTAssertThrowsError(try Json.read(deep)) { error in
            XCTAssertTrue("\(error)".contains("too deeply"))
        }
    }

    func testAFieldThatIsMissingIsNamed() throws {
        let fields = Fields(["size": .text("large")])
        XCTAssertThrowsError(try fields.int("size")) { error in
            XCTAssertEqual("\(error)", "\"size\": expected a whole number, found \"large\"")
        }
        XCTAssertThrowsError(try fields.text("name")) { error in
            XCTAssertEqual("\(error)", "\"name\": expected a text, found nothing")
        }
    }

    func testNumbersAreNamesAsPythonWritesThem() throws {
        let expected = [
            "5": "5", "5.0": "5.0", "1e3": "1000.0", "1e16": "1e+16", "9007199254740993": "9007199254740993",
            "1.5e-5": "1.5e-05", "0.0001": "0.0001", "123456789012345680.0": "1.2345678901234568e+17",
            "12345678901234567.0": "1.2345678901234568e+16", "-0.0": "-0.0", "-0": "0", "1e999": "inf",
            "0.1": "0.1", "100.0": "100.0", "1e-300": "1e-300", "12.50": "12.5",
        ]
        for (text, name) in expected {
            guard case .number(let number) = try Json.read(text) else { return XCTFail(text) }
            XCTAssertEqual(Written.python(number), name)
        }
    }
}
