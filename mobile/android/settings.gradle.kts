// The Android side of a bundle: its model, which lies one folder up, as a library, and an app to try it.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "deploy-target"

include(":core", ":onecase", ":deploytarget", ":sample")
