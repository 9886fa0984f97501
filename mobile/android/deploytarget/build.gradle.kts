// The model as a library. What it needs lies one folder up, in the bundle, and becomes assets here: the
// model, the manifest and the steps; one golden case, to check a GPU with; all of them for the tests on a device.
plugins { alias(libs.plugins.android.library) }

val bundle: File = rootDir.parentFile

// What is of one runtime alone: the model's name, the libraries that run it, the oldest Android that they take.
apply(from = "../runtime.gradle.kts")
val model: String by extra
val libraries: List<String> by extra
val minSdkOfRuntime = extra["minSdk"] as Int

android {
    namespace = "dev.deploytarget.android"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = minSdkOfRuntime
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += providers.gradleProperty("deployTarget.abis").getOrElse("arm64-v8a,x86_64").split(",") }
    }

    androidResources { noCompress += File(model).extension }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

/** Copies files of the bundle into a folder of assets. */
abstract class BundleAssets : DefaultTask() {
    @get:InputFiles
    @get:PathSensitive(PathSensitivity.NAME_ONLY)
    abstract val files: ConfigurableFileCollection

    /** golden.safetensors, to take one case of it; empty to take none. */
    @get:InputFiles
    @get:PathSensitive(PathSensitivity.NAME_ONLY)
    abstract val golden: ConfigurableFileCollection

    @get:Classpath
    abstract val oneCase: ConfigurableFileCollection

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @get:Inject
    abstract val system: FileSystemOperations

    @get:Inject
    abstract val processes: ExecOperations

    @TaskAction
    fun copy() {
        val folder = assets.dir("deploytarget").get().asFile
        system.sync {
            from(files)
            into(folder)
        }
        golden.files.filter { it.exists() }.forEach { all ->
            processes.javaexec {
                classpath = oneCase
                mainClass = "dev.deploytarget.onecase.OneCaseKt"
                args(all.path, folder.resolve("check.safetensors").path)
            }
        }
    }
}

val oneCase: Configuration by configurations.creating {
    isCanBeConsumed = false
    attributes { attribute(Usage.USAGE_ATTRIBUTE, objects.named(Usage::class.java, Usage.JAVA_RUNTIME)) }
}

val copyBundle = tasks.register<BundleAssets>("copyBundle") {
    files.from(listOf(model, "deploy-target.json", "steps.json").map(bundle::resolve).filter { it.exists() })
    golden.from(listOf("golden.safetensors").map(bundle::resolve).filter { it.exists() })
    oneCase.from(configurations.named("oneCase"))
}

val copyGolden = tasks.register<BundleAssets>("copyGolden") {
    files.from(listOf("golden.safetensors").map(bundle::resolve).filter { it.exists() })
}

androidComponents {
    onVariants { variant ->
        variant.sources.assets?.addGeneratedSourceDirectory(copyBundle, BundleAssets::assets)
        variant.androidTest?.sources?.assets?.addGeneratedSourceDirectory(copyGolden, BundleAssets::assets)
    }
}

dependencies {
    api(project(":core"))
    libraries.forEach { implementation(it) }
    oneCase(project(":onecase"))

    androidTestImplementation(libs.junit)
    androidTestImplementation(libs.androidx.test.runner)
    androidTestImplementation(libs.androidx.test.junit)
}
