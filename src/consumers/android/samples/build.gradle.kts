// Add to the app's own file. Copy the .tflite file, __COPIED__ to src/main/assets.
android {
    // __MIN_SDK__
    androidResources { noCompress += "tflite" }
}
dependencies {
    implementation("com.google.ai.edge.litert:litert:2.1.0")
}
