import Foundation

/// Triangles over the bins of a spectrum, evenly spaced in mels; with norm "slaney" each of area 1.
struct MelBank {
    /// Slaney's scale: so many Hz a mel up to 1 kHz; above, 27 mels for a factor of 6.4.
    private static let (linear, edge) = (200.0 / 3, 1000.0)

    private let filters: [(first: Int, weights: [Double])]

    var mels: Int { filters.count }

    init(_ options: Fields) throws {
        let (rate, fft) = (try options.number("rate"), try options.int("n_fft"))
        let (mels, scale) = (try options.int("mels"), try options.text("scale"))
        let slaney = try options.textOrNil("norm") == "slaney"
        let lowest = MelBank.toMel(try options.number("fmin"), scale)
        let highest = MelBank.toMel(try options.number("fmax"), scale)
        let step = (highest - lowest) / Double(mels + 1)
        let corners = (0..<mels + 2).map { i in
            MelBank.fromMel(i == mels + 1 ? highest : lowest + Double(i) * step, scale)
        }
        filters = (0..<mels).map { i in
            let (low, peak, high) = (corners[i], corners[i + 1], corners[i + 2])
            let area = slaney ? 2 / (high - low) : 1
            let triangle = (0...fft / 2).map { bin -> Double in
                let hertz = Double(bin) * (rate / Double(fft))
                let height = min((hertz - low) / (peak - low), (high - hertz) / (high - peak))
                return area * max(0, height)
            }
            let first = triangle.firstIndex { $0 > 0 } ?? 0
            let end = triangle[first...].lastIndex { $0 > 0 } ?? first
            return (first, Array(triangle[first...end]))
        }
    }

    /// What each of them takes of a spectrum.
    func energies(_ powers: [Double]) -> [Double] {
        filters.map { filter in
            filter.weights.indices.reduce(0) { $0 + filter.weights[$1] * powers[filter.first + $1] }
        }
    }

    private static func toMel(_ hertz: Double, _ scale: String) -> Double {
        if scale == "htk" { return 2595 * log10(1 + hertz / 700) }
        if hertz < edge { return hertz / linear }
        return edge / linear + log(hertz / edge) * (27 / log(6.4))
    }

    private static func fromMel(_ mel: Double, _ scale: String) -> Double {
        if scale == "htk" { return 700 * (pow(10, mel / 2595) - 1) }
        if mel < edge / linear { return mel * linear }
        return edge * exp((mel - edge / linear) * (log(6.4) / 27))
    }
}
