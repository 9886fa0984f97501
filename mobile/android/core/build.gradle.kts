// The part of the project that has no Android in it: plain Kotlin for the JVM, and no dependency but
// Kotlin's own standard library. It runs on Android 7 (API 24), and so on nothing newer than Java 8.
plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_1_8)
        // Newer classes of Java are refused: older Androids do not have them.
        freeCompilerArgs.add("-Xjdk-release=8")
    }
}

// What asks a bundle on a desktop's JVM is no part of an app.
sourceSets.test {
    kotlin.srcDir("src/harness/kotlin")
}

dependencies {
    testImplementation(libs.junit)
}
