// Runs while the library is built: takes one golden case out of all, for the app to check a GPU with.
plugins {
    alias(libs.plugins.kotlin.jvm)
    application
}

application { mainClass = "dev.deploytarget.onecase.OneCaseKt" }

dependencies { implementation(project(":core")) }
