import Foundation
import TensorFlowLite

/// __DOC__ Not safe for several threads at once.
final class __NAME__ {
  private struct Settings: Decodable {
    struct Output: Decodable { let answers: String? }
    let models: [Model]
    let output: Output
  }
  // __MODEL__

  private let interpreter: Interpreter
  private let parts: [Model.Part]
  private let tokenizer: Tokenizer
  // __SWIFT_LABELS__
  // __FIELDS__

  init(model: String, bundle: Bundle = .main) throws {
    guard let url = bundle.url(forResource: model, withExtension: "tflite") else { throw CocoaError(.fileNoSuchFile) }
    interpreter = try Interpreter(modelPath: url.path)
    try interpreter.allocateTensors()
    tokenizer = try Tokenizer(bundle: bundle)
    // __READ_TEXT_LABELS__
    let settings = try JSONDecoder().decode(Settings.self, from: Tokenizer.read("preprocessing.json", bundle))
    guard let parts = settings.models.first(where: { $0.format == "tflite" })?.inputs, parts.count == interpreter.inputTensorCount
    else { throw CocoaError(.fileReadCorruptFile) }
    self.parts = parts
    // __OPENED__
  }

  // __METHODS__

  // __SWIFT_SEARCH__

  private func answers(to sample: [Float]) throws -> [Float] {
    try feed(sample)
    try interpreter.invoke()
    return try interpreter.output(at: 0).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

  // __FEED__
}
