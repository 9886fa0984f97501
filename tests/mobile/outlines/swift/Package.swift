// swift-tools-version:5.9
import PackageDescription

// Stands in for LiteRT and for Apple's frameworks, so that a compiler checks the types of the iOS project elsewhere.
let apple = ["CryptoKit", "CoreGraphics", "ImageIO"]
let package = Package(
    name: "LiteRT",
    products: [.library(name: "LiteRT", targets: ["LiteRT"] + apple)],
    targets: [
        .target(name: "CryptoKit", path: "CryptoKit"),
        .target(name: "CoreGraphics", path: "CoreGraphics"),
        .target(name: "ImageIO", dependencies: ["CoreGraphics"], path: "ImageIO"),
        .target(name: "LiteRT", dependencies: apple.map { .byName(name: $0) }, path: "LiteRT"),
    ]
)
