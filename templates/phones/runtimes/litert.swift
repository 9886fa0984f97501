/// What of this package is LiteRT's.
enum Runtime {
    static let platforms: [SupportedPlatform] = [.iOS(.v15), .macOS(.v12)]
    // By tag and not by version: its linker flags are "unsafe", which SwiftPM takes of a revision alone.
    static let packages: [Package.Dependency] = [.package(url: "https://github.com/google-ai-edge/LiteRT.git", revision: "v2.3.0")]
    static let products: [Target.Dependency] = [.product(name: "LiteRT", package: "LiteRT")]
    static let linking: [LinkerSetting] = []
}
