import Foundation

/// Another sampling rate, as torchaudio ("sinc_hann") or SciPy ("polyphase") makes it by default.
///
/// In: samples [..., n] at the frame's rate. Out: float32 samples [..., ceil(n * to / from)]. Both
/// methods are one filter, evaluated where an output sample falls between input samples; they differ
/// in that filter.
enum Resampling {
    /// Of either rate, by what both share: the filter has twenty times as many weights.
    private static let most = 50_000

    /// How many input samples away it still weighs one, and by how much.
    private struct Filter {
        let reach: Int
        let weight: (Double) -> Double
    }

    /// Samples at rate `to`; method "refuse" takes no other rate. Sets the frame's.
    static func resample(_ value: Tensor, _ frame: inout Frame, _ options: Fields) throws -> Tensor {
        let (to, method) = (try options.int("to"), try options.text("method"))
        guard let rate = frame.rate else { throw WrongUse("nothing says the rate of these samples") }
        if rate == to { return value }
        if method == "refuse" {
            throw Refused("the recording has \(rate) samples a second, expected \(to)")
        }
        let shared = divisor(rate, to)
        if max(rate, to) / shared > most {
            throw Refused(
                "\(rate) samples a second cannot become \(to) with a filter of a sane size; "
                    + "expected \(to), or a usual rate such as 44100 or 48000")
        }
        frame.rate = to
        let (down, up) = (rate / shared, to / shared)
        return try filtered(value, down, up, filter(method, down, up))
    }

    private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }

    private static func filter(_ method: String, _ down: Int, _ up: Int) throws -> Filter {
        switch method {
        case "sinc_hann": return sincHann(Double(down), Double(up))
        case "polyphase": return polyphase(down, up)
        default: throw WrongUse("no method of resampling is named \"\(method)\"")
        }
    }

    /// A sinc under a Hann window of six zero crossings a side, rolled off at 0.99 of the band.
    private static func sincHann(_ down: Double, _ up: Double) -> Filter {
        let band = 0.99 * min(down, up) / down
        let reach = Int((6 * down / (0.99 * min(down, up))).rounded(.up))
        return Filter(reach: reach) { distance in
            let crossings = max(-6, min(6, distance * band))
            let window = cos(crossings * (.pi / 12))
            return sinc(crossings) * window * window * band
        }
    }

    /// A low-pass by the window method: Kaiser, beta 5, ten periods of the lower rate a side.
    private static func polyphase(_ down: Int, _ up: Int) -> Filter {
        let longest = max(down, up)
        let half = 10 * longest
        let whole = (-half...half).map { tap -> Double in
            let place = Double(tap) / Double(half)
            let kaiser = bessel(5 * max(0, 1 - place * place).squareRoot()) / bessel(5)
            return sinc(Double(tap) / Double(longest)) * kaiser
        }
        let gain = Double(up) / whole.reduce(0, +)
        return Filter(reach: half / up + 1) { distance in
            let place = Int((distance * Double(up)).rounded()) + half
            return whole.indices.contains(place) ? gain * whole[place] : 0
        }
    }

    private static func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }

    /// The modified one of the first kind, of order zero.
    private static func bessel(_ x: Double) -> Double {
        var (sum, term, k) = (1.0, 1.0, 1.0)
        while term > 1e-17 * sum {
            term *= (x / (2 * k)) * (x / (2 * k))
            sum += term
            k += 1
        }
        return sum
    }

    /// Output n lies at n * down / up: a whole number of input samples, and one of `up` phases.
    private static func filtered(
        _ value: Tensor, _ down: Int, _ up: Int, _ filter: Filter
    ) throws -> Tensor {
        let around = try Around(value.shape, -1)
        let along = around.along
        let count = (along * up + down - 1) / down
        let wide = 2 * filter.reach + 2
        let table = (0..<min(up, count)).flatMap { phase -> [Double] in
            let between = Double(phase * down % up) / Double(up)
            return (0..<wide).map { filter.weight(Double($0 - filter.reach) - between) }
        }
        let given = value.floats()
        var made = [Float](repeating: 0, count: around.outer * count)
        for outer in 0..<around.outer {
            for n in 0..<count {
                let first = n * down / up - filter.reach
                let weights = n % up * wide - first
                var sum = 0.0
                for i in max(0, first)..<max(0, first, min(along, first + wide)) {
                    sum += Double(given[outer * along + i]) * table[weights + i]
                }
                made[outer * count + n] = Float(sum)
            }
        }
        return Tensor(Array(value.shape.dropLast() + [count]), made)
    }
}
