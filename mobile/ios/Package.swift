// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "DeployTarget",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "DeployTargetCore", targets: ["DeployTargetCore"])],
    targets: [
        .target(name: "DeployTargetCore"),
        // Answers test vectors and comparisons, so that other code can judge the answers.
        .executableTarget(
            name: "Answers", dependencies: ["DeployTargetCore"], path: "Tests/Answers"),
        .testTarget(name: "DeployTargetCoreTests", dependencies: ["DeployTargetCore"]),
    ]
)
