import Foundation

/// Where the elements of an array lie in memory: in runs of neighbours, with gaps where its strides leave some.
struct Runs {
    /// Elements in each run.
    let length: Int
    /// The place of each run's first element in memory, in the array's order.
    let starts: [Int]

    init(_ shape: [Int], _ strides: [Int]) {
        var (axis, length) = (shape.count, 1)
        while axis > 0, shape[axis - 1] == 1 || strides[axis - 1] == length {
            axis -= 1
            length *= shape[axis]
        }
        self.length = length
        starts = (0..<axis).reduce([0]) { starts, axis in
            starts.flatMap { start in (0..<shape[axis]).map { start + $0 * strides[axis] } }
        }
    }

    /// The elements without gaps; each takes `size` bytes.
    func gathered(_ memory: UnsafeRawBufferPointer, size: Int) -> Data {
        var data = Data(capacity: starts.count * length * size)
        for start in starts { data.append(contentsOf: memory[start * size..<(start + length) * size]) }
        return data
    }

    /// The other way round.
    func scatter(_ elements: UnsafeRawBufferPointer, to memory: UnsafeMutableRawBufferPointer, size: Int) {
        let width = length * size
        for (run, start) in starts.enumerated() {
            let from = UnsafeRawBufferPointer(rebasing: elements[run * width..<(run + 1) * width])
            UnsafeMutableRawBufferPointer(rebasing: memory[start * size..<start * size + width]).copyMemory(from: from)
        }
    }
}
