import Foundation

/// The log-mel spectrogram: samples [..., n] -> float32 [..., time, mels].
///
/// Computed in float64 throughout, since a logarithm makes differences between quiet bins large.
enum LogMel {
    private static let windows: [String: (level: Double, swing: Double)] = [
        "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "ones": (1, 0),
    ]

    static func logMel(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let (fft, win, hop) = (try options.int("n_fft"), try options.int("win"), try options.int("hop"))
        let size = try options.text("fft_pad") == "both" ? fft : win
        let half = try options.flag("center") ? size / 2 : 0
        let around = try Around(value.shape, -1)
        let long = around.along + 2 * half
        if long < size { throw Refused("\(around.along) samples are less than a window of \(size)") }
        let time = max(0, (long - size) / hop + (try options.flag("drop_last") ? 0 : 1))
        let window = try self.window(size, win, try options.text("window"))
        let (bank, mode) = (try MelBank(options), try options.text("pad_mode"))
        let (spectrum, power) = (Spectrum(fft), try options.number("power"))
        let given = value.doubles()
        var energies: [Double] = []
        for outer in 0..<around.outer {
            let row = Array(given[outer * around.along..<(outer + 1) * around.along])
            let padded = self.padded(row, half, half, mode)
            for t in 0..<time {
                let piece = window.indices.map { padded[t * hop + $0] * window[$0] }
                let powers = spectrum.energies(piece).map { power == 2 ? $0 : pow($0, power / 2) }
                energies += bank.energies(powers)
            }
        }
        let made = try logarithm(energies, options, power).map { Float($0) }
        return Tensor(Array(value.shape.dropLast() + [time, bank.mels]), made)
    }

    /// More at both ends; "reflect" does not repeat the edge.
    static func padded<Real: FloatingPoint>(
        _ x: [Real], _ before: Int, _ after: Int, _ mode: String
    ) -> [Real] {
        if mode != "reflect" {
            let silence = { (count: Int) in [Real](repeating: 0, count: count) }
            return silence(before) + x + silence(after)
        }
        let period = max(1, 2 * (x.count - 1))
        return (-before..<x.count + after).map { at in
            let there = (at % period + period) % period
            return x[min(there, period - there, x.count - 1)]
        }
    }

    /// A periodic window of `win` samples in the middle of `size`.
    private static func window(_ size: Int, _ win: Int, _ name: String) throws -> [Double] {
        guard let form = windows[name] else { throw WrongUse("no window is named \"\(name)\"") }
        var window = [Double](repeating: 0, count: size)
        let left = (size - win) / 2
        for i in 0..<win {
            window[left + i] = form.level - form.swing * cos(2 * .pi * Double(i) / Double(win))
        }
        return window
    }

    /// factor * log(max(energies + add, floor)), cut off `top_db` below the loudest of it all.
    private static func logarithm(
        _ energies: [Double], _ options: Fields, _ power: Double
    ) throws -> [Double] {
        let log = try options.text("log")
        if log == "none" { return energies }
        let (add, floor) = (try options.number("add"), try options.number("floor"))
        // A decibel is of energy, so magnitudes count twice.
        let ten = Foundation.log(10.0)
        let decibel = 20 / power / ten
        let factor = log == "ln" ? 1 : log == "db" ? decibel : 1 / ten
        let logged = energies.map { Foundation.log(max($0 + add, floor)) * factor }
        guard let top = try options.numberOrNil("top_db"), let most = logged.max() else { return logged }
        return logged.map { max($0, most - top * factor / decibel) }
    }
}
