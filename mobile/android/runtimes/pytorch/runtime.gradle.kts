// What of the build is PyTorch Mobile's: its last release. It has libraries for armeabi-v7a and x86, too (deployTarget.abis).
extra["model"] = "model.ptl"
extra["libraries"] = listOf("org.pytorch:pytorch_android_lite:2.1.0")
// PyTorch asks for 21, and the core for Android 7.
extra["minSdk"] = 24
