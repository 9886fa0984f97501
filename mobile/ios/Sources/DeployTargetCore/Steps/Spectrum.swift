import Foundation

/// The Fourier transform of real samples, of any size: by halves where it is a power of two, else as
/// a convolution with a chirp, which is three of those.
final class Spectrum {
    private typealias Complex = (re: [Double], im: [Double])

    private let size: Int
    private let long: Int
    private let places: [Int]
    private let turns: Complex
    /// Of a size that is no power of two.
    private var chirp: Complex = ([], [])
    private var filter: Complex = ([], [])

    init(_ size: Int) {
        self.size = size
        let whole = size & (size - 1) == 0
        var long = 1
        while long < (whole ? size : 2 * size) { long *= 2 }
        self.long = long
        var places = [0]
        while places.count < long { places = places.map { 2 * $0 } + places.map { 2 * $0 + 1 } }
        self.places = places
        let angles = (0..<max(1, long / 2)).map { -2 * .pi * Double($0) / Double(long) }
        turns = (angles.map { cos($0) }, angles.map { sin($0) })
        if !whole { prepare() }
    }

    private func prepare() {
        let angles = (0..<size).map { .pi * Double($0 * $0 % (2 * size)) / Double(size) }
        chirp = (angles.map { cos($0) }, angles.map { sin($0) })
        var (re, im) = (zeros, zeros)
        for n in 0..<size {
            for at in [n, (long - n) % long] { (re[at], im[at]) = (chirp.re[n], chirp.im[n]) }
        }
        transform(&re, &im)
        filter = (re, im)
    }

    private var zeros: [Double] { [Double](repeating: 0, count: long) }

    /// The squares of the sizes of bins 0 to size / 2. Fewer samples are followed by zeros.
    func energies(_ samples: [Double]) -> [Double] {
        var (re, im) = (zeros, zeros)
        if chirp.re.isEmpty {
            for n in samples.indices { re[n] = samples[n] }
            transform(&re, &im)
        } else {
            convolve(samples, &re, &im)
        }
        // A chirp turns what comes out, and changes no size.
        return (0...size / 2).map { re[$0] * re[$0] + im[$0] * im[$0] }
    }

    private func convolve(_ samples: [Double], _ re: inout [Double], _ im: inout [Double]) {
        for n in samples.indices {
            (re[n], im[n]) = (samples[n] * chirp.re[n], -samples[n] * chirp.im[n])
        }
        transform(&re, &im)
        for i in 0..<long {
            let (a, b, c, d) = (re[i], im[i], filter.re[i], filter.im[i])
            re[i] = (a * c - b * d) / Double(long)
            im[i] = (a * d + b * c) / Double(long)
        }
        // The way back is the way there with both parts exchanged.
        transform(&im, &re)
    }

    private func transform(_ re: inout [Double], _ im: inout [Double]) {
        for (i, j) in places.enumerated() where j > i {
            re.swapAt(i, j)
            im.swapAt(i, j)
        }
        var half = 1
        while half < long {
            let stride = long / (2 * half)
            for start in Swift.stride(from: 0, to: long, by: 2 * half) {
                for k in 0..<half {
                    let (low, high) = (start + k, start + k + half)
                    let (c, s) = (turns.re[k * stride], turns.im[k * stride])
                    let (a, b) = (re[high] * c - im[high] * s, re[high] * s + im[high] * c)
                    (re[high], im[high]) = (re[low] - a, im[low] - b)
                    (re[low], im[low]) = (re[low] + a, im[low] + b)
                }
            }
            half *= 2
        }
    }
}
