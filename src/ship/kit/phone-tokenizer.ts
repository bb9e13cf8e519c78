import { SCRIPT_FILE } from './portable.ts';

/**
 * The tokenizer of a kit for Android: the one script in a WebView. Its engine has all of ECMA-402; of androidx.javascriptengine no documentation says so, and
 * the source of its service loads no data of ICU, which `normalize('NFKC')` and Intl.Segmenter read.
 */
export function kotlinTokenizer(ofWords: boolean): string {
  return `import android.content.Context
import android.os.Handler
import android.os.Looper
import android.webkit.WebView
import android.webkit.WebViewClient
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import org.json.JSONArray
import org.json.JSONObject

/**
 * Token ids of texts, by ${SCRIPT_FILE} in a WebView (of version 93 or later), which shows nothing and loads nothing. Not for the main
 * thread, on which a WebView answers. Fails where this phone gives other ids than those of example.json.
 */
class Tokenizer(context: Context) : AutoCloseable {
    private val assets = context.assets
    private val main = Handler(Looper.getMainLooper())
    private val engine = onMain<WebView> { it.complete(WebView(context)) }
    private val text = JSONObject(read("preprocessing.json")).getJSONObject("text")
    private val parts = strings(text.getJSONArray("parts"))

    init {
        onMain<Unit> { ready ->
            engine.settings.javaScriptEnabled = true
            engine.webViewClient = object : WebViewClient() {
                override fun onPageFinished(view: WebView, url: String) {
                    ready.complete(Unit)
                }
            }
            engine.loadUrl("about:blank")
        }
        evaluate(read("${SCRIPT_FILE}"))
        ask("open", text.toString(), if (text.has("file")) read("tokenizer.json") else "null")
        val examples = JSONArray(read("example.json"))
        for (i in 0 until examples.length()) {
            val example = examples.getJSONObject(i)
${ofWords ? KOTLIN_WORD_EXAMPLE : KOTLIN_TEXT_EXAMPLE}            check(given contentEquals joined(example)) { "not the token ids that example.json holds" }
        }
    }

${ofWords ? KOTLIN_WORDS : KOTLIN_TEXTS}
    /** Content of an asset. */
    fun read(file: String) = assets.open(file).bufferedReader().use { it.readText() }

    override fun close() {
        main.post { engine.destroy() }
    }

    /** Answer of a function of the script to texts of JSON. */
    private fun ask(function: String, vararg inputs: String): JSONObject {
        val call = inputs.joinToString(", ", "tokenizer.$function(", ")") { JSONObject.quote(it) }
        val given = evaluate(call)
        check(given != "null") { "${SCRIPT_FILE} does not run here: the WebView of this phone needs an update" }
        val answer = JSONObject(JSONArray("[$given]").getString(0))
        check(!answer.has("error")) { "${SCRIPT_FILE}: " + answer.getString("error") }
        return answer
    }

    /** Value of a script, as JSON. */
    private fun evaluate(script: String) = onMain<String> { done ->
        engine.evaluateJavascript(script) { done.complete(it) }
    }

    private fun <T> onMain(work: (CompletableFuture<T>) -> Unit): T {
        check(Looper.myLooper() != Looper.getMainLooper()) { "a Tokenizer is made and asked on another thread than the main one" }
        val done = CompletableFuture<T>()
        main.post {
            try {
                work(done)
            } catch (error: Throwable) {
                done.completeExceptionally(error)
            }
        }
        return done.get(60, TimeUnit.SECONDS)
    }

    /** Input of the model for a sample: ids, and of a model of several inputs its mask and types too, one behind the other. */
    private fun joined(encoded: JSONObject) = parts.map { floats(encoded.getJSONArray(it)) }.reduce { all, part -> all + part }

    private fun strings(list: JSONArray) = List(list.length()) { list.getString(it) }

    private fun floats(list: JSONArray) = FloatArray(list.length()) { list.getInt(it).toFloat() }
}
`;
}

const KOTLIN_TEXT_EXAMPLE = `            val pair = example.optJSONArray("text")
            val given = sample(if (pair == null) listOf(example.getString("text")) else strings(pair))
`;

const KOTLIN_TEXTS = `    /** A text, or the two of a pair, as the model takes it. */
    fun sample(texts: List<String>) = joined(ask("encode", JSONArray(texts).toString()))
`;

const KOTLIN_WORD_EXAMPLE = `            val given = sample(strings(example.getJSONArray("words"))).first
`;

const KOTLIN_WORDS = `    /** A list of words as the model takes it, and for each token the position of the word that begins with it, or -1. */
    fun sample(words: List<String>): Pair<FloatArray, IntArray> {
        val answer = ask("encodeWords", JSONArray(words).toString())
        val starts = answer.getJSONArray("words")
        return Pair(joined(answer), IntArray(starts.length()) { starts.getInt(it) })
    }

    /** A text as words and punctuation marks. */
    fun wordsIn(text: String) = strings(ask("cutWords", JSONObject.quote(text)).getJSONArray("words"))
`;

/** The tokenizer of a kit for iOS: the one script in JavaScriptCore. */
export function swiftTokenizer(ofWords: boolean): string {
  return `import Foundation
import JavaScriptCore

/// Token ids of texts, by ${SCRIPT_FILE} in JavaScriptCore. Not safe for several threads at once. Fails where this phone gives other ids
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
    context.evaluateScript(try Tokenizer.text("${SCRIPT_FILE}", bundle))
    let form = try String(decoding: JSONSerialization.data(withJSONObject: text), as: UTF8.self)
    let file = try text["file"] == nil ? "null" : Tokenizer.text("tokenizer.json", bundle)
    _ = try ask("open", [form, file])
    let examples = try JSONSerialization.jsonObject(with: Tokenizer.read("example.json", bundle)) as? [[String: Any]] ?? []
    for example in examples {
${ofWords ? SWIFT_WORD_EXAMPLE : SWIFT_TEXT_EXAMPLE}      guard given == joined(example) else {
        throw Failure(errorDescription: "not the token ids that example.json holds")
      }
    }
  }

${ofWords ? SWIFT_WORDS : SWIFT_TEXTS}
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
      throw Failure(errorDescription: "${SCRIPT_FILE}: \\(context.exception?.toString() ?? "no answer")")
    }
    let answer = try Tokenizer.object(Data(json.utf8))
    if let error = answer["error"] as? String { throw Failure(errorDescription: "${SCRIPT_FILE}: \\(error)") }
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
    (list as? [NSNumber] ?? []).map(\\.floatValue)
  }
}
`;
}

const SWIFT_TEXT_EXAMPLE = `      let given = try sample(example["text"] as? [String] ?? [example["text"] as? String ?? ""])
`;

const SWIFT_TEXTS = `  /// A text, or the two of a pair, as the model takes it.
  func sample(_ texts: [String]) throws -> [Float] {
    try joined(ask("encode", [Tokenizer.json(texts)]))
  }
`;

const SWIFT_WORD_EXAMPLE = `      let given = try sample(example["words"] as? [String] ?? []).sample
`;

const SWIFT_WORDS = `  /// A list of words as the model takes it, and for each token the position of the word that begins with it, or -1.
  func sample(_ words: [String]) throws -> (sample: [Float], starts: [Int]) {
    let answer = try ask("encodeWords", [Tokenizer.json(words)])
    return (joined(answer), (answer["words"] as? [NSNumber] ?? []).map(\\.intValue))
  }

  /// A text as words and punctuation marks.
  func words(in text: String) throws -> [String] {
    try ask("cutWords", [Tokenizer.json(text)])["words"] as? [String] ?? []
  }
`;
