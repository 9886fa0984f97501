/// Rows of numbers: what is missing filled in, scaled, categories spread out, as the model's dtype.
enum Table {
    /// A number for each missing value, by column; null leaves it missing.
    static func impute(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let values = try options.list("values").map { one -> Double in
            if case .number(let number) = one { return number.value }
            return .nan
        }
        let given = value.doubles()
        let filled = given.indices.map { given[$0].isNaN ? values[$0 % values.count] : given[$0] }
        return Tensor(value.shape, filled)
    }

    /// (x - mean) / scale along the last axis, in the value's own precision.
    static func standardise(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let own = { (several: [Double]) in Tensor([several.count], several).cast(to: value.dtype).doubles() }
        let (means, scales) = (own(try options.numbers("mean")), own(try options.numbers("scale")))
        let x = value.doubles()
        let shifted = own(x.indices.map { x[$0] - means[$0 % means.count] })
        let scaled = shifted.indices.map { shifted[$0] / scales[$0 % scales.count] }
        return Tensor(value.shape, scaled).cast(to: value.dtype)
    }

    /// A column of a category's index becomes as many columns as it has; no index: all zeros.
    ///
    /// The nearest index counts: a step before may have rounded otherwise, and still means this one.
    static func oneHot(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let sizes = try options.list("sizes").map { one -> Int in
            if case .number(let number) = one { return Int(number.value) }
            return 0
        }
        let around = try Around(value.shape, -1)
        let given = value.doubles()
        var made: [Double] = []
        for row in 0..<around.outer {
            for (column, size) in sizes.enumerated() {
                let x = given[row * around.along + column]
                let code = x.rounded(.toNearestOrEven)
                made += size == 0 ? [x] : (0..<size).map { Double($0) == code ? 1 : 0 }
            }
        }
        let width = sizes.reduce(0) { $0 + max(1, $1) }
        return Tensor([around.outer, width], made).cast(to: value.dtype)
    }

    /// The tensor's own dtype. Throws Refused where a value does not fit a whole number.
    static func cast(_ value: Tensor, _ options: Fields) throws -> Tensor {
        let dtype = try DType.named(try options.text("dtype"))
        if dtype == value.dtype { return value }
        if let limits = dtype.limits, dtype != .bool {
            let given = value.doubles()
            let fits = { (x: Double) in limits.contains(x) && x == x.rounded(.toNearestOrEven) }
            if let wrong = given.firstIndex(where: { !fits($0) }) {
                let row = wrong / max(1, given.count / max(1, value.shape.first ?? 1)) + 1
                throw Refused("row \(row) holds \(given[wrong]), expected \(dtype.rawValue)")
            }
        }
        return value.cast(to: dtype)
    }
}
