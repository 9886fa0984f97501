/// What of this package is ExecuTorch's.
enum Runtime {
    static let platforms: [SupportedPlatform] = [.iOS(.v17), .macOS(.v14)]
    // The head of its branch swiftpm-1.5.0, which names its libraries by their SHA-256. For 1.5.1 none is known.
    static let packages: [Package.Dependency] = [
        .package(url: "https://github.com/pytorch/executorch.git", revision: "56cc93a96d5fb8d21554ec5f00fbad5a5b228bc4")
    ]
    static let products: [Target.Dependency] = ["executorch", "backend_xnnpack", "kernels_optimized"].map {
        .product(name: $0, package: "executorch")
    }
    // Kernels and backends make themselves known when they are loaded, so none may be left out as unused. SwiftPM takes
    // such a flag of a package that lies in a folder, as this one does, and of none that it fetches by a version.
    static let linking: [LinkerSetting] = [.unsafeFlags(["-Wl,-all_load"])]
}
