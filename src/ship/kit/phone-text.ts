import { kotlinFeeds, SWIFT_FEED, SWIFT_PARTS } from './feeds.ts';
import { kotlinTokenizer, swiftTokenizer } from './phone-tokenizer.ts';
import { SCRIPT_FILE } from './portable.ts';

/** Answers of a model of texts: classes, numbers or labels, or a tag for each word. */
export type TextAnswers = 'classes' | 'values' | 'tags';

/** Parts of the classes that differ between answers. `name` is the class and its file. */
interface Parts {
  readonly name: string;
  readonly doc: string;
  readonly kotlin: { readonly imports: string; readonly fields: string; readonly methods: string };
  readonly swift: { readonly fields: string; readonly opened: string; readonly methods: string };
}

const NONE = { fields: '', opened: '' };

const PARTS: Readonly<Record<TextAnswers, Parts>> = {
  classes: {
    name: 'TextClassifier',
    doc: 'Classes of texts with their probabilities, the most likely first.',
    kotlin: {
      imports: 'import kotlin.math.exp\n',
      fields: '',
      methods: `    /** A text, or the two of a pair. */
    fun classify(vararg texts: String): List<Pair<String, Float>> {
        val logits = answersTo(tokenizer.sample(texts.toList()))
        val largest = logits.max()
        val powers = logits.map { exp(it - largest) }
        val sum = powers.sum()
        return labels.zip(powers.map { it / sum }).sortedByDescending { it.second }
    }
`,
    },
    swift: {
      ...NONE,
      methods: `  /// A text, or the two of a pair.
  func classify(_ texts: String...) throws -> [(label: String, probability: Float)] {
    let logits = try answers(to: tokenizer.sample(texts))
    let largest = logits.max() ?? 0
    let powers = logits.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return zip(labels, powers.map { $0 / sum }).sorted { $0.1 > $1.1 }.map { (label: $0.0, probability: $0.1) }
  }
`,
    },
  },
  values: {
    name: 'TextPredictor',
    doc: 'Answers to texts by name, in the order of labels.txt: numbers in the units of the labels, or the probability of each label.',
    kotlin: {
      imports: 'import kotlin.math.exp\n',
      fields: `    private val isLogits = settings.getJSONObject("output").getString("answers") == "logits"
`,
      methods: `    /** A text, or the two of a pair. */
    fun predict(vararg texts: String): List<Pair<String, Float>> {
        val found = answersTo(tokenizer.sample(texts.toList()))
        return labels.zip(found.map { if (isLogits) 1 / (1 + exp(-it)) else it })
    }
`,
    },
    swift: {
      fields: '  private let isLogits: Bool\n',
      opened: `    isLogits = settings.output.answers == "logits"
`,
      methods: `  /// A text, or the two of a pair.
  func predict(_ texts: String...) throws -> [(label: String, value: Float)] {
    let found = try answers(to: tokenizer.sample(texts))
    return zip(labels, found).map { (label: $0, value: isLogits ? 1 / (1 + exp(-$1)) : $1) }
  }
`,
    },
  },
  tags: {
    name: 'Tagger',
    doc: 'Words with their tags; null for a word without a token, and behind the last token that the model takes.',
    kotlin: {
      imports: '',
      fields: '',
      methods: `    fun tag(text: String) = tag(tokenizer.wordsIn(text))

    fun tag(words: List<String>): List<Pair<String, String?>> {
        val (sample, starts) = tokenizer.sample(words)
        val logits = answersTo(sample)
        val tags = arrayOfNulls<String>(words.size)
        starts.forEachIndexed { at, word ->
            if (word >= 0) tags[word] = labels[labels.indices.maxByOrNull { logits[at * labels.size + it] }!!]
        }
        return words.zip(tags)
    }
`,
    },
    swift: {
      ...NONE,
      methods: `  func tag(_ text: String) throws -> [(word: String, tag: String?)] {
    try tag(tokenizer.words(in: text))
  }

  func tag(_ words: [String]) throws -> [(word: String, tag: String?)] {
    let (sample, starts) = try tokenizer.sample(words)
    let logits = try answers(to: sample)
    var tags = [String?](repeating: nil, count: words.count)
    for (at, word) in starts.enumerated() where word >= 0 {
      let row = logits[(at * labels.count)..<((at + 1) * labels.count)]
      let best = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
      tags[word] = labels[best - row.startIndex]
    }
    return zip(words, tags).map { (word: $0, tag: $1) }
  }
`,
    },
  },
};

/** Files that an app of texts takes out of a kit, beside a .tflite. */
const COPIED = `labels.txt, preprocessing.json, example.json, samples/tokenize/${SCRIPT_FILE} and, if there is one, models/tokenizer.json`;

/** Classes for models of texts, one for each platform beside its tokenizer; nothing about the model stands in the code. */
export function textPhoneSamples(answers: TextAnswers): Readonly<Record<string, string>> {
  const { name, doc, kotlin, swift } = PARTS[answers];
  return {
    'android/build.gradle.kts': `// Add to the app's own file. Copy the .tflite file, ${COPIED} to src/main/assets.
android {
    defaultConfig { minSdk = 24 }
    androidResources { noCompress += "tflite" }
}
dependencies {
    implementation("com.google.ai.edge.litert:litert:2.1.0")
}
`,
    'android/Tokenizer.kt': kotlinTokenizer(answers === 'tags'),
    [`android/${name}.kt`]: `import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
${kotlin.imports}import org.json.JSONObject

/** ${doc} Not for the main thread, nor for several threads at once. */
class ${name}(context: Context, file: String, accelerator: Accelerator = Accelerator.CPU) : AutoCloseable {
    private val tokenizer = Tokenizer(context)
    private val settings = JSONObject(tokenizer.read("preprocessing.json"))
    private val labels = tokenizer.read("labels.txt").removeSuffix("\\n").split("\\n")
${kotlin.fields}    private val model = CompiledModel.create(context.assets, file, CompiledModel.Options(accelerator), null)
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

${kotlin.methods}
    private fun answersTo(sample: FloatArray): FloatArray {
        feed(sample)
        model.run(inputs, outputs)
        return outputs[0].readFloat()
    }

${kotlinFeeds('settings')}
    override fun close() {
        model.close()
        tokenizer.close()
    }
}
`,
    'ios/Podfile': `# Add the .tflite file, ${COPIED} to the app's target.
platform :ios, '15.4'
target 'App' do
  use_frameworks!
  pod 'TensorFlowLiteSwift', '~> 2.17'
end
`,
    'ios/Tokenizer.swift': swiftTokenizer(answers === 'tags'),
    [`ios/${name}.swift`]: `import Foundation
import TensorFlowLite

/// ${doc.replace('null', 'nil')} Not safe for several threads at once.
final class ${name} {
  private struct Settings: Decodable {
    struct Output: Decodable { let answers: String? }
    let models: [Model]
    let output: Output
  }
${SWIFT_PARTS}
  private let interpreter: Interpreter
  private let parts: [Model.Part]
  private let tokenizer: Tokenizer
  private let labels: [String]
${swift.fields}
  init(model: String, bundle: Bundle = .main) throws {
    guard let url = bundle.url(forResource: model, withExtension: "tflite") else { throw CocoaError(.fileNoSuchFile) }
    interpreter = try Interpreter(modelPath: url.path)
    try interpreter.allocateTensors()
    tokenizer = try Tokenizer(bundle: bundle)
    labels = try Tokenizer.text("labels.txt", bundle)
      .split(separator: "\\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    let settings = try JSONDecoder().decode(Settings.self, from: Tokenizer.read("preprocessing.json", bundle))
    guard let parts = settings.models.first(where: { $0.format == "tflite" })?.inputs, parts.count == interpreter.inputTensorCount
    else { throw CocoaError(.fileReadCorruptFile) }
    self.parts = parts
${swift.opened}  }

${swift.methods}
  private func answers(to sample: [Float]) throws -> [Float] {
    try feed(sample)
    try interpreter.invoke()
    return try interpreter.output(at: 0).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
  }

${SWIFT_FEED}}
`,
  };
}
