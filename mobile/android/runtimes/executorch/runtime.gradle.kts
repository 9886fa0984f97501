// What of the build is ExecuTorch's. It has libraries for arm64-v8a and x86_64, and for no other ABI.
extra["model"] = "model.pte"
extra["libraries"] = listOf("org.pytorch:executorch-android:1.5.1")
// ExecuTorch asks for 23, and the core for Android 7.
extra["minSdk"] = 24
