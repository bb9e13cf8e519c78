import Foundation
import JavaScriptCore

/// Token ids of texts, by tokenizer.js in JavaScriptCore. Not safe for several threads at once. Fails where this phone gives other ids
/// than those of example.json.
final class Tokenizer {
  struct Failure: LocalizedError {
    let errorDescription: String?
  }

  private let context: JSContext
  private let parts: [String]

  init(bundle: Bundle = .main) throws {
    guard let context = JSContext() else { throw Failure(errorDescription: "no JavaScript engine") }
    let settings = try Tokenizer.object(Tokenizer.read("preprocessing.json", bundle))
    guard let text = settings["text"] as? [String: Any], let parts = text["parts"] as? [String] else {
      throw CocoaError(.fileReadCorruptFile)
    }
    self.context = context
    self.parts = parts
    context.evaluateScript(try Tokenizer.text("tokenizer.js", bundle))
    let form = try String(decoding: JSONSerialization.data(withJSONObject: text), as: UTF8.self)
    let file = try text["file"] == nil ? "null" : Tokenizer.text("tokenizer.json", bundle)
    _ = try ask("open", [form, file])
    let examples = try JSONSerialization.jsonObject(with: Tokenizer.read("example.json", bundle)) as? [[String: Any]] ?? []
    for example in examples {
      // __EXAMPLE__
      guard given == joined(example) else {
        throw Failure(errorDescription: "not the token ids that example.json holds")
      }
    }
  }

  // __SAMPLE__

  /// Content of a file of the app.
  static func read(_ file: String, _ bundle: Bundle) throws -> Data {
    let url = URL(fileURLWithPath: file)
    let (name, type) = (url.deletingPathExtension().lastPathComponent, url.pathExtension)
    guard let found = bundle.url(forResource: name, withExtension: type) else { throw CocoaError(.fileNoSuchFile) }
    return try Data(contentsOf: found)
  }

  static func text(_ file: String, _ bundle: Bundle) throws -> String {
    try String(decoding: read(file, bundle), as: UTF8.self)
  }

  /// Answer of a function of the script to texts of JSON.
  private func ask(_ function: String, _ inputs: [String]) throws -> [String: Any] {
    guard let given = context.objectForKeyedSubscript("tokenizer")?.invokeMethod(function, withArguments: inputs),
      given.isString, let json = given.toString()
    else {
      throw Failure(errorDescription: "tokenizer.js: \(context.exception?.toString() ?? "no answer")")
    }
    let answer = try Tokenizer.object(Data(json.utf8))
    if let error = answer["error"] as? String { throw Failure(errorDescription: "tokenizer.js: \(error)") }
    return answer
  }

  /// Input of the model for a sample: ids, and of a model of several inputs its mask and types too, one behind the other.
  private func joined(_ encoded: [String: Any]) -> [Float] {
    parts.flatMap { Tokenizer.floats(encoded[$0]) }
  }

  private static func object(_ json: Data) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
  }

  private static func json<Value: Encodable>(_ value: Value) throws -> String {
    try String(decoding: JSONEncoder().encode(value), as: UTF8.self)
  }

  private static func floats(_ list: Any?) -> [Float] {
    (list as? [NSNumber] ?? []).map(\.floatValue)
  }
}
