import Foundation

/// What lies around an axis: `outer` times `along` times `inner` elements.
struct Around {
    let at: Int
    let outer: Int
    let along: Int
    let inner: Int

    /// An axis below zero counts from the end.
    init(_ shape: [Int], _ axis: Int) throws {
        let at = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(at) else { throw WrongUse("\(shape) has no axis \(axis)") }
        self.at = at
        outer = shape[..<at].reduce(1, *)
        along = shape[at]
        inner = shape[(at + 1)...].reduce(1, *)
    }
}

extension Tensor {
    /// The axes in another order: this[axes]. The very same tensor where there is none.
    func permuted(_ axes: [Int]?) -> Tensor {
        guard let axes, axes != Array(shape.indices) else { return self }
        switch dtype.size {
        case 1: return permuted(axes, UInt8.self)
        case 2: return permuted(axes, UInt16.self)
        case 4: return permuted(axes, UInt32.self)
        default: return permuted(axes, UInt64.self)
        }
    }

    private func permuted<Element>(_ axes: [Int], _: Element.Type) -> Tensor {
        let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
        let (sizes, steps) = (axes.map { shape[$0] }, axes.map { strides[$0] })
        let given = elements(Element.self)
        var made: [Element] = []
        made.reserveCapacity(given.count)
        var at = sizes.map { _ in 0 }
        var from = 0
        while made.count < given.count {
            made.append(given[from])
            for axis in sizes.indices.reversed() {
                at[axis] += 1
                from += steps[axis]
                if at[axis] < sizes[axis] { break }
                from -= steps[axis] * sizes[axis]
                at[axis] = 0
            }
        }
        return Tensor(dtype, sizes, holding: made)
    }

    /// Rows along an axis, of which there are `whole`: where that is a product, a row is several
    /// elements wide.
    func taken(_ axis: Int?, of whole: Int, rows: [Int]) throws -> Tensor {
        guard let axis else { return self }
        let around = try Around(shape, axis)
        let wide = around.along / whole
        let width = wide * around.inner * dtype.size
        let bytes = self.bytes()
        var made = Data(capacity: around.outer * width * rows.count)
        for outer in 0..<around.outer {
            for row in rows {
                let from = outer * around.along * around.inner * dtype.size + row * width
                made.append(contentsOf: bytes[from..<from + width])
            }
        }
        var sizes = shape
        sizes[axis] = wide * rows.count
        return Tensor(unchecked: dtype, sizes, made)
    }

    /// Pieces one after the other along an axis.
    static func joined(_ pieces: [Tensor], _ axis: Int) throws -> Tensor {
        let first = pieces[0]
        if pieces.count == 1 { return first }
        var sizes = first.shape
        sizes[axis] = pieces.reduce(0) { $0 + $1.shape[axis] }
        let around = try Around(sizes, axis)
        let all = pieces.map { ($0.bytes(), $0.shape[axis] * around.inner * $0.dtype.size) }
        var made = Data(capacity: around.outer * around.along * around.inner * first.dtype.size)
        for outer in 0..<around.outer {
            for (bytes, width) in all {
                made.append(contentsOf: bytes[outer * width..<(outer + 1) * width])
            }
        }
        return Tensor(unchecked: first.dtype, sizes, made)
    }
}

/// By which what was permuted comes back.
func inverse(_ axes: [Int]?) -> [Int]? {
    axes.map { axes in axes.indices.map { axes.firstIndex(of: $0) ?? $0 } }
}
