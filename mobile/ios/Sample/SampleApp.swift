import DeployTarget
import SwiftUI

// An app to try the model. In Xcode: a new iOS app, this package added to it, and these two files in place of its own.

@main
struct SampleApp: App {
    var body: some Scene { WindowGroup { ContentView() } }
}

/// One answer, as the screen shows it.
struct Bar: Identifiable {
    let id: Int
    let label: String
    let score: Double
}

/// The model and its last answer. The model is loaded and asked in the background.
@MainActor
final class Asking: ObservableObject {
    @Published var said = "Loading the model…"
    @Published var bars: [Bar] = []
    private var model: DeployTargetModel?

    func load() async {
        do {
            let loaded = try await Task.detached { try DeployTargetModel.load() }.value
            (model, said) = (loaded, "\(loaded.info.backend.rawValue): \(loaded.info.runtime)")
        } catch { said = "\(error)" }
    }

    func ask(_ photo: Data) async {
        guard let model else { return }
        do {
            let (answer, took) = try await Task.detached {
                let start = Date()
                return (try model.predict(photo), Date().timeIntervalSince(start))
            }.value
            said = String(format: "%@, %.0f ms", model.info.backend.rawValue, 1000 * took)
            bars = best(of: answer)
            if bars.isEmpty { said += "\n" + Json.object(answer).written() }
        } catch { said = "\(error)" }
    }

    /// The five best of the first output that is a list of labels with scores; empty where none is.
    private func best(of answer: Fields) -> [Bar] {
        let lists = answer.names.compactMap { try? answer.objects($0) }
        let scored = lists.first?.compactMap { one -> (String, Double)? in
            guard let score = try? one.number("score") else { return nil }
            return ((try? one.text("label")) ?? (try? one.int("index")).map(String.init) ?? "", score)
        }
        let sorted = (scored ?? []).sorted { $0.1 > $1.1 }.prefix(5)
        return sorted.enumerated().map { Bar(id: $0.offset, label: $0.element.0, score: $0.element.1) }
    }
}
