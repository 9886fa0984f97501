// An app to try the model: a photo from the gallery or the camera, the best answers, how long one took.
plugins { alias(libs.plugins.android.application) }

apply(from = "../runtime.gradle.kts")
val model: String by extra
val minSdkOfRuntime = extra["minSdk"] as Int
val abis = providers.gradleProperty("deployTarget.abis").getOrElse("arm64-v8a,x86_64").split(",")

android {
    namespace = "dev.deploytarget.sample"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "dev.deploytarget.sample"
        minSdk = minSdkOfRuntime
        targetSdk = libs.versions.compileSdk.get().toInt()
        versionCode = 1
        versionName = "1.0"
    }

    // So that the model can be mapped from the APK: weights hardly shrink anyway.
    androidResources { noCompress += File(model).extension }

    // Native libraries stay uncompressed and aligned, as devices with pages of 16 KB want them.
    packaging { jniLibs { useLegacyPackaging = false } }

    // An APK for each ABI; an .aab is split by the store itself.
    splits {
        abi {
            isEnable = true
            reset()
            include(*abis.toTypedArray())
        }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

dependencies {
    implementation(project(":deploytarget"))
    implementation(libs.androidx.activity)
}
