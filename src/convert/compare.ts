import { UserError } from '../base/errors.ts';
import type { Feeds } from '../compress/quantize/observe.ts';
import type { OpenedModel } from '../compress/quantize/open-model.ts';
import { fromHalfArray } from '../base/typed-bytes.ts';
import type { TensorData } from '../graph/types.ts';
import { LikenessTally } from './likeness.ts';
import type { OutputLikeness, OutputValues } from './likeness.ts';
import { formatOf } from './read.ts';
import { noRuntime, openerIn } from './runtime.ts';
import type { OrtModule } from './runtime.ts';

/** A model that a runtime has loaded; whole numbers of an output may be float64. */
export interface AnsweringModel extends Pick<OpenedModel, 'dispose'> {
  readonly run: (feeds: Feeds) => Promise<Readonly<Record<string, Answer>>>;
}

interface Answer {
  readonly data: TensorData | Float64Array;
  readonly shape: readonly number[];
}

/** Runtimes that the caller has: ONNX Runtime for ONNX files, and a function that opens TFLite files. */
export interface Runtimes {
  readonly onnx?: OrtModule | undefined;
  readonly tflite?: ((bytes: Uint8Array) => Promise<AnsweringModel>) | undefined;
}

/**
 * Likeness of each output of the file `b` to that of the file `a` on the samples, which both are fed by the names of the inputs of `a`. An output of
 * `b` has the same name, or else the same place.
 */
export async function compare(
  a: Uint8Array,
  b: Uint8Array,
  samples: readonly Feeds[],
  runtimes: Runtimes,
): Promise<readonly OutputLikeness[]> {
  if (samples.length === 0)
    throw new UserError('compare: expected samples, received none', 'Give some that did not calibrate the file.');
  const opened: AnsweringModel[] = [];
  try {
    opened.push(await openIn(runtimes, a, 'the first file'));
    opened.push(await openIn(runtimes, b, 'the second file'));
    const [first, second] = opened as [AnsweringModel, AnsweringModel];
    return await likenessTo(first, [{ model: second, samples }]);
  } finally {
    for (const model of opened) model.dispose();
  }
}

/** Likeness of models, each on samples of its own, to a model; `seen` is told of each sample. */
export async function likenessTo(
  reference: AnsweringModel,
  parts: readonly { readonly model: AnsweringModel; readonly samples: readonly Feeds[] }[],
  seen: () => void = () => undefined,
): Promise<readonly OutputLikeness[]> {
  const tallies = new Map<string, LikenessTally>();
  for (const { model, samples } of parts)
    for (const feeds of samples) {
      const [expected, actual] = [await reference.run(feeds), await model.run(feeds)];
      for (const [place, [name, values]] of Object.entries(expected).entries()) {
        const other = actual[name] ?? Object.values(actual)[place];
        if (other === undefined)
          throw new UserError(
            `compare: expected an output ${name} of the second file, received ${Object.keys(actual).join(', ')}`,
            'Compare a file with what it was converted from.',
          );
        if (!tallies.has(name)) tallies.set(name, new LikenessTally(name));
        tallies.get(name)!.add(numbersOf(values), numbersOf(other));
      }
      seen();
    }
  return [...tallies.values()].map((tally) => tally.result());
}

/** Opens a file in the runtime of its format. `UserError` where that is missing. */
export async function openIn({ onnx, tflite }: Runtimes, bytes: Uint8Array, label: string): Promise<AnsweringModel> {
  const format = formatOf(bytes);
  if (format === 'tflite') {
    if (tflite !== undefined) return tflite(bytes);
    throw new UserError(
      `compare: ${label} is a TFLite file, and no function that opens such files was passed`,
      'Pass { tflite: async (bytes) => ({ run, dispose }) } with a runtime such as LiteRT.',
    );
  }
  if (format !== 'onnx')
    throw new UserError(
      `compare: expected ONNX or TFLite files, ${label} is one of Keras`,
      'Convert it to ONNX first: convert(bytes, { to: "onnx" }).',
    );
  if (onnx === undefined) throw noRuntime(label, 'it has to run');
  return openerIn(onnx)(bytes, label);
}

function numbersOf({ data, shape }: Answer): OutputValues {
  const isInteger = !(data instanceof Float32Array || data instanceof Uint16Array);
  if (data instanceof Float32Array) return { data, shape, isInteger };
  // The only arrays of 16 bits without a sign are the bits of float16.
  if (data instanceof Uint16Array) return { data: fromHalfArray(data), shape, isInteger };
  return { data: Float64Array.from(data as ArrayLike<number>, Number), shape, isInteger };
}
