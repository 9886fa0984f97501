import Foundation

/// SHA-256, for the digest of a manifest: CryptoKit is Apple's alone, and this core is tested elsewhere.
enum Sha256 {
    /// The digest in hexadecimal digits.
    static func hex(_ data: Data) -> String {
        var state: [UInt32] = roots(of: 8) { $0.squareRoot() }
        let constants = roots(of: 64) { cubeRoot($0) }
        let bytes = padded(data)
        for start in stride(from: 0, to: bytes.count, by: 64) {
            state = block(bytes[start..<start + 64], state, constants)
        }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private static func padded(_ data: Data) -> [UInt8] {
        var bytes = [UInt8](data) + [0x80]
        bytes += [UInt8](repeating: 0, count: (120 - bytes.count % 64) % 64)
        return bytes + withUnsafeBytes(of: UInt64(data.count * 8).bigEndian) { Array($0) }
    }

    private static func block(
        _ bytes: ArraySlice<UInt8>, _ state: [UInt32], _ constants: [UInt32]
    ) -> [UInt32] {
        var words = stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map { at in
            bytes[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for i in 16..<64 {
            let (a, b) = (words[i - 15], words[i - 2])
            let first = turned(a, 7) ^ turned(a, 18) ^ a >> 3
            let second = turned(b, 17) ^ turned(b, 19) ^ b >> 10
            words.append(words[i - 16] &+ first &+ words[i - 7] &+ second)
        }
        var s = state
        for i in 0..<64 {
            let big = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)
            let choice = s[4] & s[5] ^ ~s[4] & s[6]
            let one = s[7] &+ big &+ choice &+ constants[i] &+ words[i]
            let small = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)
            let most = s[0] & s[1] ^ s[0] & s[2] ^ s[1] & s[2]
            s = [one &+ small &+ most, s[0], s[1], s[2], s[3] &+ one, s[4], s[5], s[6]]
        }
        return zip(state, s).map { $0 &+ $1 }
    }

    private static func turned(_ word: UInt32, _ by: UInt32) -> UInt32 { word >> by | word << (32 - by) }

    /// The first 32 bits of the fractions of roots of the first primes, as the standard defines them.
    private static func roots(of count: Int, _ root: (Double) -> Double) -> [UInt32] {
        let primes = (2...).lazy.filter { n in !(2..<n).contains { n % $0 == 0 } }.prefix(count)
        return primes.map { prime in
            let value = root(Double(prime))
            return UInt32((value - value.rounded(.down)) * 0x1p32)
        }
    }

    /// To the last bit that matters here: one step of Newton's behind what the library gives.
    private static func cubeRoot(_ value: Double) -> Double {
        let near = pow(value, 1.0 / 3)
        return near - (near * near * near - value) / (3 * near * near)
    }
}
