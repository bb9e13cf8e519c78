/**
 * Feeds of a model in each language of the samples: every input takes its part of a prepared sample, in its own type, as the entry `inputs`
 * of the model in preprocessing.json says. A model of one input takes all of it.
 */

/** Function of the program for Node and of the pages. */
export const JS_FEEDS = `/** Data of each input of a model: its part of a prepared sample, in its own type. */
export function feedsOf({ inputs }, prepared) {
  return inputs.map(({ name, dtype, shape, from }) => {
    const part = prepared.slice(from, from + shape.reduce((size, length) => size * length));
    if (dtype === 'float32') return { name, dtype, shape, data: part };
    const fraction = part.find((value) => !Number.isInteger(value));
    if (fraction !== undefined) throw new Error('input ' + name + ': expected whole numbers, received ' + fraction);
    return { name, dtype, shape, data: dtype === 'int64' ? BigInt64Array.from(part, BigInt) : Int32Array.from(part) };
  });
}
`;

/** Function of both that normalizes numbers. One more or fewer would put others in their places, and null would be a 0. */
export const JS_PREPARE = `/** Values as the model was trained on them: (value * scale - mean) / std, channel by channel. */
export function prepare(raw) {
  const { scale, mean, std } = normalization;
  const channels = mean.length;
  const size = input.shape.reduce((product, length) => product * length);
  if (raw.length !== size) throw new Error('expected ' + size + ' numbers, received ' + raw.length);
  const wrong = raw.findIndex((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)));
  if (wrong !== -1) throw new Error('value ' + wrong + ': expected a number, received ' + raw[wrong]);
  return Float32Array.from(raw, (value, i) => (value * scale - mean[i % channels]) / std[i % channels]);
}
`;

/** Function of both that makes a sample of an array for each input of a model of several. */
export const JS_JOINED = `/** The numbers of each input of a model by its name, row by row, channels last, as one sample. */
export function joined({ inputs }, arrays) {
  const sample = [];
  for (const { name, shape, from } of inputs) {
    const size = shape.reduce((product, length) => product * length);
    const values = arrays[name];
    if (values?.length !== size)
      throw new Error('input ' + name + ': expected ' + size + ' numbers, received ' + (values?.length ?? 'none'));
    values.forEach((value, i) => (sample[from + i] = value));
  }
  return sample;
}

`;

/** Members of a class in Kotlin that has `inputs`, the buffers of the model. `settings`: the content of preprocessing.json as a JSONObject. */
export function kotlinFeeds(settings: string): string {
  return `    /** The inputs of the TFLite files, in their order. */
    private val parts = ${settings}.getJSONArray("models").let { models ->
        List(models.length()) { models.getJSONObject(it) }.first { it.getString("format") == "tflite" }.getJSONArray("inputs")
    }

    /** Gives each input its part of a prepared sample. */
    private fun feed(sample: FloatArray) {
        inputs.forEachIndexed { i, input ->
            val part = parts.getJSONObject(i)
            val shape = part.getJSONArray("shape")
            val from = part.getInt("from")
            val values = sample.copyOfRange(from, from + List(shape.length()) { shape.getInt(it) }.reduce { size, length -> size * length })
            if (part.getString("dtype") == "int32") {
                require(values.all { it == it.toInt().toFloat() }) { "input $i: expected whole numbers" }
                input.writeInt(IntArray(values.size) { values[it].toInt() })
            } else input.writeFloat(values)
        }
    }
`;
}

/** Types in Swift of what preprocessing.json says of the models. */
export const SWIFT_PARTS = `  private struct Model: Decodable {
    struct Part: Decodable { let shape: [Int]; let dtype: String; let from: Int }
    let format: String
    let inputs: [Part]
  }
`;

/** Method of a class in Swift that has `parts`, the inputs of the TFLite files in their order, and `interpreter`. */
export const SWIFT_FEED = `  /// Gives each input its part of a prepared sample.
  private func feed(_ sample: [Float]) throws {
    for (i, part) in parts.enumerated() {
      let values = Array(sample[part.from..<(part.from + part.shape.reduce(1, *))])
      if part.dtype == "int32", values.contains(where: { Int32(exactly: $0) == nil }) {
        throw NSError(domain: "expected whole numbers", code: i)
      }
      let data = part.dtype == "int32"
        ? values.map { Int32($0) }.withUnsafeBufferPointer { Data(buffer: $0) }
        : values.withUnsafeBufferPointer { Data(buffer: $0) }
      try interpreter.copy(data, toInputAt: i)
    }
  }
`;
