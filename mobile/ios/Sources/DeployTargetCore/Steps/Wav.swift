/// WAV: whole numbers of 8 to 32 bits, floats of 32 and 64, A-law and u-law, also as RF64 and in the
/// extensible form. Another coding is refused with those that are taken.
struct Wav {
    private struct Form {
        let format, channels, rate, bits: Int
        /// In bytes.
        var width: Int { (bits + 7) / 8 }
    }

    private static let extensible = 0xfffe
    /// A size that is no size: what was written to a pipe did not know it.
    private static let unknown = 0xffff_ff00

    private let bytes: [UInt8]
    private let form: Form
    private let start: Int
    private let sample: ([UInt8], Int) -> Float
    /// Samples in each channel.
    let told: Int

    var rate: Int { form.rate }
    var channels: Int { form.channels }

    /// What the file declares, and how to read it. Throws Refused.
    init(_ bytes: [UInt8]) throws {
        guard bytes.count >= 12, Wav.name(bytes, 8) == "WAVE" else {
            throw Refused("the WAV file cannot be read: it is no WAVE")
        }
        let (form, start, size) = try Wav.chunks(bytes)
        (self.bytes, self.form, self.start) = (bytes, form, start)
        sample = try Wav.sample(form)
        told = size / (form.width * form.channels)
    }

    /// All samples of each channel, in -1...1.
    func samples() -> [[Float]] {
        let whole = form.width * form.channels
        return (0..<form.channels).map { channel in
            let first = start + channel * form.width
            return (0..<told).map { sample(bytes, first + $0 * whole) }
        }
    }

    /// The form of the samples, and where they are.
    private static func chunks(_ bytes: [UInt8]) throws -> (Form, start: Int, size: Int) {
        let rf64 = name(bytes, 0) == "RF64"
        var (form, long): (Form?, Int) = (nil, .max)
        var at = 12
        while at + 8 <= bytes.count {
            let (kind, size) = (name(bytes, at), Int(number(bytes, at + 4, 4)))
            if kind == "ds64" && rf64 && at + 24 <= bytes.count {
                long = Int(clamping: number(bytes, at + 16, 8))
            } else if kind == "fmt " {
                form = try self.form(bytes, at + 8, size)
            } else if kind == "data" {
                guard let form else {
                    throw Refused("the WAV file cannot be read: its samples come before what they are")
                }
                let told = rf64 && size == 0xffff_ffff ? long : size
                return (form, at + 8, try held(told, bytes.count - at - 8))
            }
            at += 8 + size + size % 2
        }
        throw Refused("the WAV file is cut off: it ends before its samples")
    }

    /// How many bytes of samples there are: as many as declared, or all until the end.
    private static func held(_ told: Int, _ there: Int) throws -> Int {
        if told >= unknown && told <= 0x1_0000_0000 || told == .max { return there }
        if told > there { throw Refused("the WAV file is cut off: its header promises more") }
        return told
    }

    private static func form(_ bytes: [UInt8], _ at: Int, _ size: Int) throws -> Form {
        if size < 16 || at + size > bytes.count {
            throw Refused("the WAV file cannot be read: its format is cut off")
        }
        var format = Int(number(bytes, at, 2))
        if format == extensible && size >= 40 { format = Int(number(bytes, at + 24, 2)) }
        let form = Form(
            format: format, channels: Int(number(bytes, at + 2, 2)),
            rate: Int(number(bytes, at + 4, 4)), bits: Int(number(bytes, at + 14, 2)))
        if form.channels == 0 { throw Refused("the WAV file cannot be read: it has no channels") }
        return form
    }

    /// What reads one sample, in -1...1.
    private static func sample(_ form: Form) throws -> ([UInt8], Int) -> Float {
        switch (form.format, form.width) {
        case (1, 1): return { (Float($0[$1]) - 128) / 128 }
        case (1, 2): return { Float(Int16(bitPattern: UInt16(number($0, $1, 2)))) / 32_768 }
        case (1, 3): return { Float(Int32(bitPattern: UInt32(number($0, $1, 3)) << 8) >> 8) / 8_388_608 }
        case (1, 4): return { Float(Int32(bitPattern: UInt32(number($0, $1, 4)))) / 2_147_483_648 }
        case (3, 4): return { Float(bitPattern: UInt32(number($0, $1, 4))) }
        case (3, 8): return { Float(Double(bitPattern: number($0, $1, 8))) }
        case (6, 1): return { Float(aLaw($0[$1])) / 32_768 }
        case (7, 1): return { Float(uLaw($0[$1])) / 32_768 }
        default:
            throw Refused(
                "a WAV file of coding \(form.format) with \(form.bits) bits is not taken; send whole "
                    + "numbers of 8 to 32 bits, floats of 32 or 64, A-law or u-law", status: 415)
        }
    }

    /// G.711: a sign, three bits of exponent, four of mantissa, every second bit turned round.
    private static func aLaw(_ byte: UInt8) -> Int {
        let bits = Int(byte) ^ 0x55
        let exponent = bits >> 4 & 7
        let mantissa = (bits & 15) << 4 + (exponent > 0 ? 0x108 : 8)
        let size = exponent > 1 ? mantissa << (exponent - 1) : mantissa
        return bits & 0x80 != 0 ? size : -size
    }

    /// G.711: a sign, three bits of exponent, four of mantissa, all turned round.
    private static func uLaw(_ byte: UInt8) -> Int {
        let bits = Int(~byte)
        let size = ((bits & 15) << 3 + 0x84) << (bits >> 4 & 7) - 0x84
        return bits & 0x80 != 0 ? -size : size
    }

    /// Little endian.
    private static func number(_ bytes: [UInt8], _ at: Int, _ size: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in (0..<size).reversed() { value = value << 8 | UInt64(bytes[at + i]) }
        return value
    }

    private static func name(_ bytes: [UInt8], _ at: Int) -> String {
        String(decoding: bytes[at..<at + 4], as: UTF8.self)
    }
}
