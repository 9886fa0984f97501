/// What of this package is Core ML's, which is a part of the systems.
enum Runtime {
    static let platforms: [SupportedPlatform] = [.iOS(.v16), .macOS(.v13)]
    static let packages: [Package.Dependency] = []
    static let products: [Target.Dependency] = []
    static let linking: [LinkerSetting] = []
}
