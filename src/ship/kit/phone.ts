import { kotlinFeeds, SWIFT_FEED, SWIFT_PARTS } from './feeds.ts';

/**
 * The class that an app needs, in each language; every one reads preprocessing.json and labels.txt, so that nothing about
 * the model stands in the code.
 */
export const phoneSamples: Readonly<Record<string, string>> = {
  'android/build.gradle.kts': `// Add to the app's own file. Copy the .tflite file, labels.txt and preprocessing.json to src/main/assets.
android {
    androidResources { noCompress += "tflite" }
}
dependencies {
    implementation("com.google.ai.edge.litert:litert:2.1.0")
}
`,
  'android/Classifier.kt': `import android.content.Context
import android.graphics.Bitmap
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import kotlin.math.sin
import org.json.JSONObject

/** Classes with their probabilities, the most likely first. Not safe for several threads at once. */
class Classifier(context: Context, file: String, accelerator: Accelerator = Accelerator.CPU) : AutoCloseable {
    private val assets = context.assets
    private val settings = JSONObject(text("preprocessing.json"))
    private val labels = text("labels.txt").removeSuffix("\\n").split("\\n")
    private val normalization = settings.getJSONObject("normalization")
    private val scale = normalization.getDouble("scale").toFloat()
    private val mean = floats("mean")
    private val std = floats("std")
    private val shape = settings.getJSONObject("input").getJSONArray("shape")
    private val model = CompiledModel.create(assets, file, CompiledModel.Options(accelerator), null)
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    /** Values before normalization, row by row, channels last; those of several inputs where preprocessing.json has them begin. */
    fun classify(raw: FloatArray): List<Pair<String, Float>> {
        val size = List(shape.length()) { shape.getInt(it) }.reduce { product, length -> product * length }
        require(raw.size == size) { "expected $size numbers, received \${raw.size}" }
        feed(FloatArray(raw.size) { i -> (raw[i] * scale - mean[i % mean.size]) / std[i % std.size] })
        model.run(inputs, outputs)
        val logits = outputs[0].readFloat()
        val largest = logits.max()
        val powers = logits.map { exp(it - largest) }
        val sum = powers.sum()
        return labels.zip(powers.map { it / sum }).sortedByDescending { it.second }
    }

    /** Labels and their scores, for models of pictures with one or three channels; the picture stands upright and has no transparent parts. */
    fun classify(picture: Bitmap): List<Pair<String, Float>> {
        val (height, width, channels) = List(3) { shape.getInt(it + 1) }
        val colors = scaled(picture, height, width)
        if (channels == 3) return classify(colors)
        return classify(FloatArray(height * width) { i ->
            round(0.299f * colors[3 * i] + 0.587f * colors[3 * i + 1] + 0.114f * colors[3 * i + 2])
        })
    }

    /**
     * Red, green and blue at another size, as the pictures that the model learnt from were scaled: by Lanczos' filter over all pixels.
     * Bitmap.createScaledBitmap makes each pixel of four at most, and small pictures of large ones come out as noise.
     */
    private fun scaled(picture: Bitmap, height: Int, width: Int): FloatArray {
        val across = taps(picture.width, width)
        val pixels = IntArray(picture.width)
        val rows = FloatArray(picture.height * width * 3)
        for (y in 0 until picture.height) {
            picture.getPixels(pixels, 0, pixels.size, 0, y, pixels.size, 1)
            require(pixels.all { it ushr 24 == 255 }) { "expected a picture without transparent parts" }
            across.forEachIndexed { x, (first, weights) ->
                for (c in 0 until 3) rows[(y * width + x) * 3 + c] = level(weights) { pixels[first + it] shr (16 - 8 * c) and 255 }
            }
        }
        val out = FloatArray(height * width * 3)
        taps(picture.height, height).forEachIndexed { y, (first, weights) ->
            for (i in 0 until width * 3) out[y * width * 3 + i] = level(weights) { rows[(first + it) * width * 3 + i].toInt() }
        }
        return out
    }

    private inline fun level(weights: FloatArray, value: (Int) -> Int): Float {
        var sum = 0f
        for (k in weights.indices) sum += weights[k] * value(k)
        return round(sum.coerceIn(0f, 255f))
    }

    /** First pixel of each output pixel, and the weights of those from there on. */
    private fun taps(from: Int, to: Int): List<Pair<Int, FloatArray>> {
        val scale = from.toDouble() / to
        val size = max(scale, 1.0)
        return List(to) { i ->
            val centre = (i + 0.5) * scale
            val first = max(0, (centre - 3 * size + 0.5).toInt())
            val end = min(from, (centre + 3 * size + 0.5).toInt())
            val weights = DoubleArray(end - first) { k -> lanczos((first + k + 0.5 - centre) / size) }
            val sum = weights.sum()
            first to FloatArray(weights.size) { (weights[it] / sum).toFloat() }
        }
    }

    private fun lanczos(x: Double): Double = if (abs(x) < 3) sinc(x) * sinc(x / 3) else 0.0

    private fun sinc(x: Double): Double = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)

    override fun close() = model.close()

${kotlinFeeds('settings')}
    private fun text(file: String) = assets.open(file).bufferedReader().use { it.readText() }

    private fun floats(key: String): FloatArray {
        val values = normalization.getJSONArray(key)
        return FloatArray(values.length()) { values.getDouble(it).toFloat() }
    }
}
`,
  'ios/Podfile': `# Add the .tflite file, labels.txt and preprocessing.json to the app's target.
platform :ios, '13.0'
target 'App' do
  use_frameworks!
  pod 'TensorFlowLiteSwift', '~> 2.17'
end
`,
  'ios/Classifier.swift': `import CoreGraphics
import Foundation
import TensorFlowLite

/// Classes with their probabilities, the most likely first. Not safe for several threads at once.
final class Classifier {
  private struct Settings: Decodable {
    struct Normalization: Decodable { let scale: Float; let mean: [Float]; let std: [Float] }
    struct Input: Decodable { let shape: [Int] }
    let normalization: Normalization
    let input: Input
    let models: [Model]
  }
${SWIFT_PARTS}
  private let interpreter: Interpreter
  private let parts: [Model.Part]
  private let normalization: Settings.Normalization
  private let labels: [String]
  private let size: Int

  init(model: String, bundle: Bundle = .main) throws {
    func url(_ name: String, _ type: String) throws -> URL {
      guard let url = bundle.url(forResource: name, withExtension: type) else { throw CocoaError(.fileNoSuchFile) }
      return url
    }
    interpreter = try Interpreter(modelPath: url(model, "tflite").path)
    try interpreter.allocateTensors()
    let settings = try JSONDecoder().decode(Settings.self, from: Data(contentsOf: url("preprocessing", "json")))
    normalization = settings.normalization
    size = settings.input.shape.reduce(1, *)
    guard let parts = settings.models.first(where: { $0.format == "tflite" })?.inputs, parts.count == interpreter.inputTensorCount
    else { throw CocoaError(.fileReadCorruptFile) }
    self.parts = parts
    labels = try String(contentsOf: url("labels", "txt"), encoding: .utf8)
      .split(separator: "\\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  /// Values before normalization, row by row, channels last; those of several inputs where preprocessing.json has them begin.
  func classify(raw: [Float]) throws -> [(label: String, probability: Float)] {
    guard raw.count == size else { throw NSError(domain: "expected \\(size) numbers", code: raw.count) }
    let channels = normalization.mean.count
    let values = raw.enumerated().map { i, value in
      (value * normalization.scale - normalization.mean[i % channels]) / normalization.std[i % channels]
    }
    try feed(values)
    try interpreter.invoke()
    let logits = try interpreter.output(at: 0).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let largest = logits.max() ?? 0
    let powers = logits.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return zip(labels, powers.map { $0 / sum }).sorted { $0.1 > $1.1 }.map { (label: $0.0, probability: $0.1) }
  }

  /// Labels and their scores, for models of pictures with one or three channels; the picture stands upright and has no transparent parts.
  func classify(picture: CGImage) throws -> [(label: String, probability: Float)] {
    let shape = parts[0].shape
    let colors = try scaled(picture, height: shape[1], width: shape[2])
    if shape[3] == 3 { return try classify(raw: colors) }
    return try classify(raw: (0..<shape[1] * shape[2]).map { i in
      (0.299 * colors[3 * i] + 0.587 * colors[3 * i + 1] + 0.114 * colors[3 * i + 2]).rounded()
    })
  }

  /// Red, green and blue at another size, as the pictures that the model learnt from were scaled: by Lanczos' filter over all pixels.
  private func scaled(_ picture: CGImage, height: Int, width: Int) throws -> [Float] {
    let (from, down) = (picture.width, picture.height)
    var pixels = [UInt8](repeating: 0, count: from * down * 4)
    let isDrawn = pixels.withUnsafeMutableBytes { buffer -> Bool in
      guard let space = CGColorSpace(name: CGColorSpace.sRGB),
        let context = CGContext(
          data: buffer.baseAddress, width: from, height: down, bitsPerComponent: 8, bytesPerRow: from * 4, space: space,
          bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
      else { return false }
      context.draw(picture, in: CGRect(x: 0, y: 0, width: from, height: down))
      return true
    }
    guard isDrawn else { throw CocoaError(.fileReadCorruptFile) }
    guard stride(from: 3, to: pixels.count, by: 4).allSatisfy({ pixels[$0] == 255 })
    else { throw NSError(domain: "expected a picture without transparent parts", code: 0) }
    var rows = [Float](repeating: 0, count: down * width * 3)
    let across = taps(from: from, to: width)
    for y in 0..<down {
      for (x, tap) in across.enumerated() {
        for c in 0..<3 {
          var sum: Float = 0
          for (k, weight) in tap.weights.enumerated() { sum += weight * Float(pixels[(y * from + tap.first + k) * 4 + c]) }
          rows[(y * width + x) * 3 + c] = level(sum)
        }
      }
    }
    var out = [Float](repeating: 0, count: height * width * 3)
    for (y, tap) in taps(from: down, to: height).enumerated() {
      for i in 0..<width * 3 {
        var sum: Float = 0
        for (k, weight) in tap.weights.enumerated() { sum += weight * rows[(tap.first + k) * width * 3 + i] }
        out[y * width * 3 + i] = level(sum)
      }
    }
    return out
  }

  private func level(_ sum: Float) -> Float { min(max(sum, 0), 255).rounded() }

  /// First pixel of each output pixel, and the weights of those from there on.
  private func taps(from: Int, to: Int) -> [(first: Int, weights: [Float])] {
    let scale = Double(from) / Double(to)
    let size = max(scale, 1)
    return (0..<to).map { i in
      let centre = (Double(i) + 0.5) * scale
      let first = max(0, Int(centre - 3 * size + 0.5))
      let end = min(from, Int(centre + 3 * size + 0.5))
      let weights = (first..<end).map { lanczos((Double($0) + 0.5 - centre) / size) }
      let sum = weights.reduce(0, +)
      return (first: first, weights: weights.map { Float($0 / sum) })
    }
  }

  private func lanczos(_ x: Double) -> Double { abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0 }

  private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(Double.pi * x) / (Double.pi * x) }

${SWIFT_FEED}}
`,
  'react-native/classifier.ts': `// npm install react-native-fast-tflite; in metro.config.js: resolver.assetExts.push('tflite', 'txt')
import { loadTensorflowModel } from 'react-native-fast-tflite';

interface Settings {
  readonly input: { readonly shape: readonly number[] };
  readonly normalization: { readonly scale: number; readonly mean: readonly number[]; readonly std: readonly number[] };
  readonly models: readonly { readonly format: string; readonly inputs: readonly Part[] }[];
}

/** Part of a prepared sample that an input takes. */
interface Part {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
}

/**
 * const classify = await openClassifier(require('./model.tflite'), require('./preprocessing.json'), labels);
 * labels: the lines of labels.txt. What it gives: classes with their probabilities, the most likely first.
 */
export async function openClassifier(file: number, { input, normalization, models }: Settings, labels: readonly string[]) {
  const model = await loadTensorflowModel(file);
  const { inputs } = models.find(({ format }) => format === 'tflite')!;
  const { scale, mean, std } = normalization;
  /** Values before normalization, row by row, channels last; those of several inputs where preprocessing.json has them begin. */
  return async (raw: ArrayLike<number>) => {
    const channels = mean.length;
    const size = input.shape.reduce((product, length) => product * length);
    if (raw.length !== size) throw new Error(\`expected \${size} numbers, received \${raw.length}\`);
    const values = Float32Array.from(raw, (value, i) => (value * scale - mean[i % channels]!) / std[i % channels]!);
    const fed = inputs.map(({ dtype, shape, from }) => {
      const part = values.slice(from, from + shape.reduce((size, length) => size * length));
      if (dtype !== 'int32') return part;
      if (part.some((value) => !Number.isInteger(value))) throw new Error('expected whole numbers');
      return Int32Array.from(part);
    });
    const [logits] = await model.run(fed);
    const numbers = Array.from(logits as Float32Array);
    const largest = Math.max(...numbers);
    const powers = numbers.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return labels
      .map((label, i) => ({ label, probability: powers[i]! / sum }))
      .sort((a, b) => b.probability - a.probability);
  };
}
`,
};
