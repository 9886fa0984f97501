/// What runs the artifact: tensors in the artifact's names, layout and dtypes, in and out.
///
/// The library has behind it the runtime that the file was made for; whatever else can run it can stand in its place.
public protocol Interpreter {
    /// Asks one entry. Throws where the runtime refuses.
    func run(entry: String, inputs: [String: Tensor]) throws -> [String: Tensor]
}
