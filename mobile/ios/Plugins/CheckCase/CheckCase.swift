import Foundation
import PackagePlugin

/// Adds check.safetensors to the package's resources: one golden case out of golden.safetensors, where that travels.
@main
struct CheckCase: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let golden = context.package.directory.appending("golden.safetensors")
        guard FileManager.default.fileExists(atPath: golden.string) else { return [] }
        let file = context.pluginWorkDirectory.appending("check.safetensors")
        return [
            .buildCommand(
                displayName: "One golden case",
                executable: try context.tool(named: "OneCase").path,
                arguments: [golden.string, file.string],
                inputFiles: [golden],
                outputFiles: [file]
            )
        ]
    }
}
