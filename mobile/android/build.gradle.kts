plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}

// By this group an app that includes this build finds its modules: "dev.deploytarget:deploytarget".
subprojects { group = "dev.deploytarget" }
