// What of the build is LiteRT's. It has libraries for armeabi-v7a and x86, too (deployTarget.abis).
extra["model"] = "model.tflite"
extra["libraries"] = listOf("com.google.ai.edge.litert:litert:2.3.0", "com.google.ai.edge.litert:litert-gpu:2.3.0")
// LiteRT 2.3 asks for it.
extra["minSdk"] = 24
