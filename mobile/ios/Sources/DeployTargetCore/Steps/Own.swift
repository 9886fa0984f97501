/// A user's own step: the app gives it under its name.
enum Own {
    static func own(_ value: Tensor, _ options: Fields, _ supplied: Supplied) throws -> Tensor {
        let name = try options.text("name")
        guard let step = supplied.own[name] else {
            throw WrongUse("the model has an own step \"\(name)\": give it to Model(own:)")
        }
        let said = try step.run(value)
        let complaint = try complaint(value, said, options)
        if complaint.isEmpty { return said }
        throw WrongUse("own step \(name): \(complaint)")
    }

    /// Why a tensor is not what this step may give; empty where it is.
    private static func complaint(_ value: Tensor, _ said: Tensor, _ options: Fields) throws -> String {
        let (dtype, shape) = (try options.text("dtype"), try options.list("shape"))
        let got = "gave \(said.dtype.rawValue) \(said.shape)"
        if said.dtype.rawValue != dtype || said.shape.count != shape.count {
            return "\(got), was given \(value.dtype.rawValue) \(value.shape); "
                + "expected its dtype and rank"
        }
        for (dim, size) in zip(shape, said.shape) {
            if case .number(let number) = dim, number.value != Double(size) {
                return "\(got); expected \(dtype) \(Json.list(shape).written())"
            }
        }
        if try options.flag("keeps"), said.shape != value.shape {
            return "\(got), was given \(value.shape); expected the same, for later steps count on it"
        }
        return ""
    }
}
