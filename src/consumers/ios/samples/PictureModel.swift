import CoreGraphics
import Foundation
import TensorFlowLite

/// __DOC__ Not safe for several threads at once.
final class __NAME__ {
  private struct Settings: Decodable {
    struct Normalization: Decodable { let scale: Double; let mean: [Double]; let std: [Double]; let missing: [Double?]? }
    struct Input: Decodable {
      let shape: [Int]
      // __INPUT__
    }
    let normalization: Normalization
    let input: Input
    let models: [Model]
    // __OUTPUT__
  }
  // __MODEL__

  private let interpreter: Interpreter
  private let parts: [Model.Part]
  private let normalization: Settings.Normalization
  // __SWIFT_LABELS__
  private let size: Int
  // __FIELDS__

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
    // __BEGIN__
    // __READ_LABELS__
  }

  // __METHODS__

  // __SWIFT_SEARCH__

  /// Numbers that the model gives for values before normalization.
  private func answers(to raw: [Float]) throws -> [Float] {
    guard raw.count == size else { throw NSError(domain: "expected \(size) numbers", code: raw.count) }
    try feed(try prepared(raw))
    try interpreter.invoke()
    return try __READ_SWIFT__
  }

  /// Values as the model was trained on them, channel by channel, computed in double precision. NaN is a missing value.
  private func prepared(_ raw: [Float]) throws -> [Float] {
    let channels = normalization.mean.count
    let missing = normalization.missing ?? [nil]
    return try raw.enumerated().map { i, given in
      guard let value = given.isNaN ? missing[i % missing.count] : Double(given), value.isFinite
      else { throw NSError(domain: "value \(i): expected a number, received \(given)", code: i) }
      return Float((value * normalization.scale - normalization.mean[i % channels]) / normalization.std[i % channels])
    }
  }

  /// Values of a picture with one or three channels, which stands upright and has no transparent parts.
  private func values(of picture: CGImage) throws -> [Float] {
    try values(of: picture, height: parts[0].shape[1], width: parts[0].shape[2])
  }

  private func values(of picture: CGImage, height: Int, width: Int) throws -> [Float] {
    let colors = try scaled(picture, height: height, width: width)
    if parts[0].shape[3] == 3 { return colors }
    return (0..<height * width).map { i in
      (0.299 * colors[3 * i] + 0.587 * colors[3 * i + 1] + 0.114 * colors[3 * i + 2]).rounded()
    }
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

  // __FEED__
}
