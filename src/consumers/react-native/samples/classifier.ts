// npm install react-native-fast-tflite; in metro.config.js: resolver.assetExts.push('tflite', 'txt')
import { loadTensorflowModel } from 'react-native-fast-tflite';
import { normalized } from './normalized.js';

interface Settings {
  readonly input: { readonly shape: readonly number[] };
  readonly normalization: {
    readonly scale: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly missing?: readonly (number | null)[];
  };
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
  /** Takes values before normalization, row by row, channels last; null or NaN stands for a missing one. A model with several inputs takes all of them in one row, in the places that preprocessing.json states. */
  return async (raw: ArrayLike<number | null>) => {
    const size = input.shape.reduce((product, length) => product * length);
    if (raw.length !== size) throw new Error(`expected ${size} numbers, received ${raw.length}`);
    const { missing } = normalization;
    const filled = Array.from(raw, (value, i) => (value === null || Number.isNaN(value) ? (missing?.[i % missing.length] ?? NaN) : value));
    const wrong = filled.findIndex((value) => !Number.isFinite(value));
    if (wrong !== -1) throw new Error(`value ${wrong}: expected a number, received ${String(raw[wrong])}`);
    const values = normalized(filled, normalization);
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
    return labels.map((label, i) => ({ label, probability: powers[i]! / sum })).sort((a, b) => b.probability - a.probability);
  };
}
