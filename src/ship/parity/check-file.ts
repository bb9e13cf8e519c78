import { UserError } from '../../base/errors.ts';
import { samplesAtOnce } from '../../data/at-once.ts';
import type { Graph } from '../../graph/types.ts';
import { oneClassWarning } from '../../measure/one-class.ts';
import type { ParitySummary } from '../../report/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { openTflite } from '../../runtime/litert.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { partSizes } from '../../train/cut.ts';
import type { ShipContext } from '../context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { beyondBudget } from './budgets.ts';
import { compareOn } from './compare.ts';
import type { Ask } from './compare.ts';
import { largestDifference } from './difference.ts';
import { LikenessTally } from './likeness.ts';
import type { Values } from './likeness.ts';
import { openFileRunner } from './runners.ts';
import type { Feeds } from './runners.ts';
import { integerCause } from '../integer-cause.ts';

/** Samples, and what the training graph says about them. */
export interface Reference {
  readonly x: Float32Array;
  /** [n, ...sampleShape] */
  readonly shape: readonly number[];
  /** [n, classes] */
  readonly logits: Float32Array;
  /** [n] */
  readonly labels?: Int32Array;
}

/** A model that files are written from. */
interface Checkable {
  /** The inference graph that the file was written from. */
  readonly graph: Graph;
  readonly reference: Reference;
}

/** Where a file goes wrong: the first layer that differs, and what is to blame as far as that is known. */
export interface Diverging {
  readonly layer: string | undefined;
  readonly cause: string;
}

/** As many samples each as a file is asked about at once. */
function inParts({ x, shape, logits }: Reference): Reference[] {
  const [n, ...sample] = shape as [number, ...number[]];
  let next = 0;
  return partSizes(n, samplesAtOnce(sample, n)).map((size) => {
    const rows = (values: Float32Array): Float32Array =>
      values.subarray((values.length / n) * next, (values.length / n) * (next + size));
    const part = { x: rows(x), shape: [size, ...sample], logits: rows(logits) };
    next += size;
    return part;
  });
}

/**
 * Runs a file on the samples that the training graph was run on; `UserError` if it does not answer as that did. `diverging`
 * is asked then, with the answers of the file.
 */
export async function checkFile(
  context: Pick<ShipContext, 'recipe' | 'data' | 'onEvent'>,
  reference: Reference,
  file: ModelFile,
  diverging: (actual: Float32Array) => Promise<Diverging>,
): Promise<ParitySummary> {
  const { x, shape, logits, labels } = reference;
  const { classNames } = context.data;
  const runner = await openFileRunner(file, sessionOptionsOf(context.recipe));
  const parts = inParts({ x, shape, logits });
  const known = parts.map(({ logits: data, shape: [n] }) => ({
    data,
    shape: [n!, classNames.length],
    isInteger: false,
  }));
  const trained: Ask = { outputs: ['logits'], run: () => Promise.resolve({ logits: known.shift()! }) };
  const answers: Values[] = [];
  const asked = {
    ...{ file: file.file, outputs: runner.outputs },
    run: async (feeds: Feeds) => {
      const given = await runner.run(feeds);
      answers.push(given['logits'] ?? Object.values(given)[0]!);
      return given;
    },
  };
  const feeds = parts.map((part) => ({ x: { data: part.x, shape: part.shape } }));
  const compared = await compareOn(feeds, trained, asked, { classes: classNames.length }).finally(() =>
    runner.dispose(),
  );
  const { samples, classes } = compared;
  const likeness = compared.outputs[0]!;
  const odd = oneClassWarning(file.file, classes.actual, labels ?? classes.expected, classNames);
  if (odd !== undefined) context.onEvent({ type: 'warning', message: odd });
  const beyond = beyondBudget(likeness, file.precision);
  const { top1Agreement, largestError, sqnrDb } = likeness;
  if (beyond === undefined)
    return summary({ file: file.file, samples, top1Agreement: top1Agreement!, largestError }, sqnrDb!);
  const { layer, cause } = await diverging(
    Float32Array.from(answers.flatMap(({ data }) => [...(data as Float32Array)])),
  );
  throw new UserError(
    `${file.file}: does not answer as the graph it was trained in on ${samples} samples: ${beyond}; ` +
      `the first layer that differs is ${layer ?? 'the last one'}${cause}`,
    'The file was not written. Export in a higher precision, or report this with the recipe.',
  );
}

/** As `checkFile`, for a file that `make` wrote of the model's graph. */
export function checkVariant(
  context: Pick<ShipContext, 'recipe' | 'data' | 'onEvent'>,
  model: Checkable,
  file: ModelFile,
  make: (graph: Graph) => { readonly bytes: Uint8Array },
): Promise<ParitySummary> {
  return checkFile(context, model.reference, file, (actual) => firstDiverging(context, model, file, make, actual));
}

/** JSON has no infinity: a file that differs nowhere has no figure of noise. */
function summary(parity: ParitySummary, sqnrDb: number): ParitySummary {
  return Number.isFinite(sqnrDb) ? { ...parity, sqnrDb } : parity;
}

/** Whether a value is further off than the budget of the precision allows an output to be. */
export function differs(
  expected: Float32Array,
  actual: Float32Array | undefined,
  precision: ModelFile['precision'],
): boolean {
  if (actual === undefined) return true;
  const tally = new LikenessTally('');
  const values = (data: Float32Array): Values => ({ data, shape: [data.length], isInteger: false });
  tally.add(values(expected), values(actual));
  return beyondBudget(tally.result(), precision) !== undefined;
}

/** Of the samples, the one whose logits differ most: where it shows what went wrong. */
function worstSample({ x, shape: [n, ...sample], logits }: Reference, actual: Float32Array) {
  const [each, classes] = [x.length / n!, logits.length / n!];
  const errorOf = (row: number): number =>
    largestDifference(
      logits.subarray(row * classes, (row + 1) * classes),
      actual.subarray(row * classes, (row + 1) * classes),
    );
  let worst = 0;
  for (let row = 1; row < n!; row++) if (errorOf(row) > errorOf(worst)) worst = row;
  return { data: x.slice(worst * each, (worst + 1) * each), shape: [1, ...sample] };
}

/** The layer of the first value on which a file and the float graph disagree by more than the budget, over one sample. */
async function firstDiverging(
  context: Pick<ShipContext, 'recipe' | 'data' | 'onEvent'>,
  { graph, reference }: Checkable,
  file: ModelFile,
  make: (graph: Graph) => { readonly bytes: Uint8Array },
  answers: Float32Array,
): Promise<Diverging> {
  const one = worstSample(reference, answers);
  const values = graph.nodes.flatMap(({ outputs, layer }) =>
    outputs
      .filter((name) => graph.types.get(name)!.dtype === 'float32')
      .map((name) => ({ name, layer: layer ?? name })),
  );
  const whole: Graph = { ...graph, outputs: new Map(values.map(({ name }) => [name, name])) };
  const [input] = graph.inputs.keys();
  const onOnnx = async (bytes: Uint8Array): Promise<Record<string, Float32Array>> => {
    const model = new InferenceModel(bytes, file.file, sessionOptionsOf(context.recipe));
    const results = await model.run({ [input!]: one });
    model.dispose();
    return Object.fromEntries(values.map(({ name }) => [name, results[outputName(whole, name)]!.data as Float32Array]));
  };
  const onTflite = async (bytes: Uint8Array): Promise<Record<string, Float32Array>> => {
    const session = await openTflite(bytes);
    const results = await session.run({ [input!]: one.data });
    session.dispose();
    return results as Record<string, Float32Array>;
  };
  const expected = await onOnnx(encodeModel(lowerToOnnx(whole)));
  const { bytes } = make(whole);
  const actual = await (file.format === 'onnx' ? onOnnx(bytes) : onTflite(bytes));
  const found = values.find(({ name }) => differs(expected[name]!, actual[name], file.precision));
  const inIntegers = file.format === 'tflite' && file.precision === 'int8';
  return { layer: found?.layer, cause: inIntegers ? integerCause(bytes, { [input!]: one.data }, actual, values) : '' };
}
