// swift-tools-version:5.9
import PackageDescription

// Stands in for the runtimes and for Apple's frameworks, so that a compiler checks the types of the iOS project elsewhere.
// Each product is one that a runtime's own package has, and brings Apple's frameworks besides.
let apple = ["CryptoKit", "CoreGraphics", "ImageIO"]
let frameworks: [Target.Dependency] = apple.map { .byName(name: $0) }
let package = Package(
    name: "outline",
    products: [
        .library(name: "LiteRT", targets: ["LiteRT"] + apple),
        .library(name: "CoreML", targets: ["CoreML"] + apple),
        .library(name: "executorch", targets: ["ExecuTorch"] + apple),
        .library(name: "backend_xnnpack", targets: ["ExecuTorch"]),
        .library(name: "kernels_optimized", targets: ["ExecuTorch"]),
    ],
    targets: [
        .target(name: "CryptoKit", path: "CryptoKit"),
        .target(name: "CoreGraphics", path: "CoreGraphics"),
        .target(name: "ImageIO", dependencies: ["CoreGraphics"], path: "ImageIO"),
        .target(name: "LiteRT", dependencies: frameworks, path: "LiteRT"),
        .target(name: "CoreML", dependencies: frameworks, path: "CoreML"),
        .target(name: "ExecuTorch", dependencies: frameworks, path: "ExecuTorch"),
    ]
)
