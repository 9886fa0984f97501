import PhotosUI
import SwiftUI

/// A photo from the library -> the five best answers as bars, and how long one took.
struct ContentView: View {
    @StateObject private var asking = Asking()
    @State private var choosing = false
    @State private var photo: UIImage?

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 12) {
                Button("Choose a photo") { choosing = true }.buttonStyle(.borderedProminent)
                if let photo { Image(uiImage: photo).resizable().scaledToFit() }
                Text(asking.said).font(.footnote)
                ForEach(asking.bars) { bar in
                    ProgressView(value: min(max(bar.score, 0), 1)) {
                        Text("\(bar.label)  \(bar.score, format: .number.precision(.fractionLength(3)))")
                    }
                }
            }
            .padding()
        }
        .task { await asking.load() }
        .sheet(isPresented: $choosing) {
            Picker { data in
                photo = UIImage(data: data)
                Task { await asking.ask(data) }
            }
        }
    }
}

/// The system's picker, which needs no permission; the photo comes as the bytes of its file.
struct Picker: UIViewControllerRepresentable {
    let chosen: (Data) -> Void

    func makeUIViewController(context: Context) -> PHPickerViewController {
        var configuration = PHPickerConfiguration()
        configuration.filter = .images
        // As JPEG where the library has HEIC: the declared steps take JPEG, PNG, WebP, GIF and BMP.
        configuration.preferredAssetRepresentationMode = .compatible
        let picker = PHPickerViewController(configuration: configuration)
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_ controller: PHPickerViewController, context: Context) {}

    func makeCoordinator() -> Coordinator { Coordinator(chosen) }

    final class Coordinator: NSObject, PHPickerViewControllerDelegate {
        private let chosen: (Data) -> Void

        init(_ chosen: @escaping (Data) -> Void) { self.chosen = chosen }

        func picker(_ picker: PHPickerViewController, didFinishPicking results: [PHPickerResult]) {
            picker.dismiss(animated: true)
            let kind = results.first?.itemProvider.registeredTypeIdentifiers.first
            guard let provider = results.first?.itemProvider, let kind else { return }
            provider.loadDataRepresentation(forTypeIdentifier: kind) { data, _ in
                if let data { DispatchQueue.main.async { self.chosen(data) } }
            }
        }
    }
}
