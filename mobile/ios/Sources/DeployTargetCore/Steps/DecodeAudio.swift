/// From the bytes of a WAV file to samples. Another medium is refused: FLAC and OGG among them, which
/// the reference takes, and this code does not decode.
enum DecodeAudio {
    /// What a recording may declare: beyond, the header is wrong or means to exhaust memory.
    private static let rates = 1_000...384_000
    private static let channels = 8
    /// Samples in all channels that are read: so many for each of max_seconds, or so many at least.
    private static let (aSecond, always) = (2 * 96_000, 4_000_000)

    /// Samples [n], or [c, n] with channels "keep", of -amplitude to amplitude; sets the rate.
    static func decoded(_ value: Tensor, _ frame: inout Frame, _ options: Fields) throws -> Tensor {
        let (channels, seconds) = (try options.text("channels"), try options.number("max_seconds"))
        let file = try opened(value.bytes())
        let samples = try read(file, seconds)
        frame.rate = file.rate
        let loud = Float(try options.number("amplitude"))
        let n = samples.first?.count ?? 0
        switch channels {
        case "keep": return Tensor([samples.count, n], samples.flatMap { $0.map { $0 * loud } })
        case "mono": return Tensor([n], mean(samples).map { $0 * loud })
        default: return Tensor([n], samples[0].map { $0 * loud })
        }
    }

    private static func opened(_ bytes: [UInt8]) throws -> Wav {
        if bytes.isEmpty { throw Refused("the body is empty; send a WAV file") }
        switch String(decoding: bytes.prefix(4), as: UTF8.self) {
        case "RIFF", "RF64": return try Wav(bytes)
        case "fLaC": throw Refused("FLAC is not decoded on this device; send a WAV file", status: 415)
        case "OggS": throw Refused("OGG is not decoded on this device; send a WAV file", status: 415)
        default: throw Refused("this is no WAV file", status: 415)
        }
    }

    private static func read(_ file: Wav, _ seconds: Double) throws -> [[Float]] {
        if !rates.contains(file.rate) {
            throw Refused(
                "\(file.rate) samples a second; expected \(rates.lowerBound) to \(rates.upperBound)")
        }
        if file.channels > channels {
            throw Refused("\(file.channels) channels; expected \(channels) at most")
        }
        if file.told == 0 { throw Refused("the WAV file holds no samples") }
        if Double(file.told) > (seconds * Double(file.rate)).rounded(.down) {
            throw Refused("the recording is longer than \(plain(seconds)) seconds", status: 413)
        }
        let most = max(always, Int(whole(seconds * Double(aSecond))))
        if file.told * file.channels > most {
            throw Refused(
                "\(file.told) samples in \(file.channels) channels are more than the \(most) that are "
                    + "read; send fewer channels or a lower rate", status: 413)
        }
        let samples = file.samples()
        if !samples.allSatisfy({ $0.allSatisfy(\.isFinite) }) {
            throw Refused("the recording holds samples that are no numbers")
        }
        return samples
    }

    private static func plain(_ seconds: Double) -> String {
        Int(exactly: seconds).map(String.init) ?? "\(seconds)"
    }

    private static func mean(_ samples: [[Float]]) -> [Float] {
        var sum = samples[0]
        for channel in samples.dropFirst() {
            for at in sum.indices { sum[at] += channel[at] }
        }
        return samples.count == 1 ? sum : sum.map { $0 / Float(samples.count) }
    }
}
