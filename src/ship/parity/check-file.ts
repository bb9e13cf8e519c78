import { cosinesOf } from '../../base/math/vectors.ts';
import { bytesOf, concatBytes } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { samplesAtOnce } from '../../data/batches/at-once.ts';
import type { TargetValues, InputPart } from '../../data/dataset.ts';
import type { Graph, TensorData } from '../../graph/types.ts';
import { fieldValues, joinedValues } from '../../tasks/fields.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { Task } from '../../tasks/task.ts';
import type { ParitySummary } from '../../report/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { partSizes } from '../../train/parallel/cut.ts';
import type { ShipContext } from '../context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { inputsByName } from '../../data/inputs.ts';
import { modelFeeds } from '../../runtime/feeds.ts';
import { beyondBudget, cosineBeyondBudget, lengthBeyondBudget } from '../../convert/budgets.ts';
import { compareOn } from './compare.ts';
import type { Ask } from './compare.ts';
import { LikenessTally } from '../../convert/likeness.ts';
import type { OutputLikeness, OutputValues } from '../../convert/likeness.ts';
import { openFileRunner } from './runners.ts';
import type { Feeds } from './file-runner.ts';

/** Samples, and what the training graph says about them. */
export interface Reference {
  readonly x: Float32Array;
  /** [n, ...sampleShape] */
  readonly shape: readonly number[];
  /** Parts of a sample that belong to each input, for a model with several. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** Answers of the training graph, [n, width]. */
  readonly answers: Float32Array;
  /** Outputs of the model that are no fields of an answer, by name. */
  readonly others?: Readonly<Record<string, OutputValues>>;
  /** Targets of the samples. */
  readonly targets?: TargetValues;
}

/** A model that files are written from. */
interface Checkable {
  /** The inference graph that the file was written from. */
  readonly graph: Graph;
  readonly reference: Reference;
}

/** Reference cut into parts of as many samples as a file is given at once. */
export function inParts({ x, shape, answers, others = {}, ...rest }: Reference): Reference[] {
  const [n, ...sample] = shape as [number, ...number[]];
  let next = 0;
  return partSizes(n, samplesAtOnce(sample, n)).map((size) => {
    const rows = <T extends TensorData | Float64Array>(values: T): T => {
      const each = values.length / n;
      return values.subarray(each * next, each * (next + size)) as T;
    };
    const other = Object.entries(others).map(([name, { data, shape: of, ...kind }]): [string, OutputValues] => [
      name,
      { ...kind, data: rows(data), shape: [size, ...of.slice(1)] },
    ]);
    const part = {
      ...rest,
      x: rows(x),
      shape: [size, ...sample],
      answers: rows(answers),
      others: Object.fromEntries(other),
    };
    next += size;
    return part;
  });
}

/** Refusal of a file that answers otherwise than its training graph. */
export class DifferentAnswers extends UserError {}

/**
 * Check of a file on the samples that the training graph was run on; throws `DifferentAnswers` if the outputs differ. `diverging` is then asked,
 * with the outputs of the file, where they begin to.
 */
export async function checkFile(
  context: Pick<ShipContext, 'recipe' | 'data' | 'onEvent'>,
  reference: Reference,
  file: ModelFile,
  firstWrong: (actual: Float32Array) => Promise<string | undefined>,
): Promise<ParitySummary> {
  const { inputs, answers: expected, targets } = reference;
  const task = taskOf(context.data.validation);
  const runner = await openFileRunner(file, sessionOptionsOf(context.recipe));
  const parts = inParts(reference);
  const known = parts.map(({ answers: rows, shape: [n], others }) => {
    const outputs = task.fields.map(({ name, shape }): [string, OutputValues] => {
      return [name, { data: fieldValues(rows, task.fields, name), shape: [n!, ...shape], isInteger: false }];
    });
    return { ...Object.fromEntries(outputs), ...others };
  });
  const trained: Ask = { outputs: Object.keys(known[0]!), run: () => Promise.resolve(known.shift()!) };
  const answers: Float32Array[] = [];
  const asked = {
    file: file.file,
    outputs: runner.outputs,
    run: async (feeds: Feeds) => {
      const given = await runner.run(feeds);
      const all = Object.values(given);
      const values = task.fields.map(({ name }, i) => [name, (given[name] ?? all[i]!).data as Float32Array] as const);
      answers.push(joinedValues(Object.fromEntries(values), task.fields, Object.values(feeds)[0]!.shape[0]!));
      return given;
    },
  };
  const feeds = parts.map((part) => inputsByName(part.x, part.shape[0]!, { sampleShape: part.shape.slice(1), inputs }));
  // Classes are compared where answers are classes, elsewhere how far the numbers are apart.
  const classOutput = task.classes && { classes: task.classes.length, output: task.fields[0]!.name };
  const compared = await compareOn(feeds, trained, asked, classOutput).finally(() => runner.dispose());
  const { samples } = compared;
  const actual = new Float32Array(concatBytes(answers.map(bytesOf)).buffer);
  const likeness = compared.outputs[0]!;
  const truth = targets ?? expected;
  const isUntrained = task.stuck(file.file, expected, truth) !== undefined;
  const odd = task.stuck(file.file, actual, truth, isUntrained ? UNTRAINED : undefined);
  if (odd !== undefined) context.onEvent({ type: 'warning', message: odd });
  const cosine = task.isUnit === true ? leastCosine(expected, actual, task.width) : undefined;
  const beyond = [...compared.outputs, ...numberByNumber(task, expected, actual)]
    .map((output) => beyondBudget(output, file.precision))
    .concat(cosine && cosineBeyondBudget(cosine.mean, file.precision))
    .concat(cosine && lengthBeyondBudget(expected, actual, task.width))
    .find((found) => found !== undefined);
  const { top1Agreement, largestError, sqnrDb } = likeness;
  if (beyond === undefined)
    return summary(
      {
        file: file.file,
        samples,
        ...(top1Agreement !== null && { top1Agreement }),
        largestError,
        ...(cosine !== undefined && { cosine }),
        ...(task.fields.length > 1 && { outputs: compared.outputs.slice(0, task.fields.length).map(byOutput) }),
      },
      sqnrDb!,
    );
  throw new DifferentAnswers(
    `${file.file}: its answers differ from those of the training graph on ${samples} samples: ${beyond}; ` +
      `the first layer that differs is ${(await firstWrong(actual)) ?? 'the last one'}`,
    'The file was not written. Export in a higher precision, or report this with the recipe.',
  );
}

/**
 * Likeness of predictions in the label's units, each number by itself, about its mean and in its deviations: beside a number around a
 * thousand, an error in one around a hundredth would not be seen.
 */
function numberByNumber(
  { scaling, fields, names }: Task,
  expected: Float32Array,
  actual: Float32Array,
): OutputLikeness[] {
  if (scaling === undefined) return [];
  const { mean, field = fields[0]!.name } = scaling;
  return mean.map((_, c) => {
    const name = fields.length === 1 ? names[c]! : `number ${c} of ${field}`;
    const column = (of: Float32Array): OutputValues => {
      const data = fieldValues(of, fields, field).filter((_, i) => i % mean.length === c);
      return {
        data: data.map((value) => (value - scaling.mean[c]!) / scaling.std[c]!),
        shape: [data.length],
        isInteger: false,
      };
    };
    const tally = new LikenessTally(name);
    tally.add(column(expected), column(actual));
    return tally.result();
  });
}

/** Mean and least cosine of the vectors [n, width] of each sample. */
function leastCosine(
  expected: Float32Array,
  actual: Float32Array,
  width: number,
): NonNullable<ParitySummary['cosine']> {
  const cosines = cosinesOf({ values: expected, width }, { values: actual, width });
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  return { mean: Math.min(1, mean), least: cosines.reduce((least, value) => Math.min(least, value), 1) };
}

const UNTRAINED = 'so does the network that was trained: train it for longer, or with another learning rate';

/** `checkFile` for a file that `make` wrote from the model's graph. */
export function checkVariant(
  context: Pick<ShipContext, 'recipe' | 'data' | 'onEvent'>,
  model: Checkable,
  file: ModelFile,
  make: (graph: Graph) => { readonly bytes: OnnxContent },
): Promise<ParitySummary> {
  return checkFile(context, model.reference, file, (actual) => firstDiverging(context, model, file, make, actual));
}

/** Likeness of an output of several. */
function byOutput({ output, sqnrDb, largestError }: OutputLikeness): NonNullable<ParitySummary['outputs']>[number] {
  return { name: output, largestError, ...(Number.isFinite(sqnrDb) && { sqnrDb: sqnrDb! }) };
}

/** JSON has no infinity: a file that differs nowhere has no figure of noise. */
function summary(parity: ParitySummary, sqnrDb: number): ParitySummary {
  return Number.isFinite(sqnrDb) ? { ...parity, sqnrDb } : parity;
}

/** True if a value is further off than the budget of the precision allows an output to be. */
export function differs(
  expected: Float32Array,
  actual: Float32Array | undefined,
  precision: ModelFile['precision'],
): boolean {
  if (actual === undefined) return true;
  const tally = new LikenessTally('');
  const values = (data: Float32Array): OutputValues => ({ data, shape: [data.length], isInteger: false });
  tally.add(values(expected), values(actual));
  return beyondBudget(tally.result(), precision) !== undefined;
}

/** Sample whose answers differ most: it shows best what went wrong. */
function worstSample({ x, shape: [n, ...sample], answers }: Reference, actual: Float32Array) {
  const [each, width] = [x.length / n!, answers.length / n!];
  const errorOf = (row: number): number =>
    largestDifference(
      answers.subarray(row * width, (row + 1) * width),
      actual.subarray(row * width, (row + 1) * width),
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
  make: (graph: Graph) => { readonly bytes: OnnxContent },
  answers: Float32Array,
): Promise<string | undefined> {
  const one = worstSample(reference, answers);
  const values = graph.nodes.flatMap(({ outputs, layer }) =>
    outputs
      .filter((name) => graph.types.get(name)!.dtype === 'float32')
      .map((name) => ({ name, layer: layer ?? name })),
  );
  const whole: Graph = { ...graph, outputs: new Map(values.map(({ name }) => [name, name])) };
  const { inputs } = reference;
  const onOnnx = async (bytes: OnnxContent): Promise<Record<string, Float32Array>> => {
    const model = new InferenceModel(bytes, file.file, sessionOptionsOf(context.recipe));
    const results = await model.run(modelFeeds(model, one.data, one.shape, inputs));
    model.dispose();
    return Object.fromEntries(values.map(({ name }) => [name, results[outputName(whole, name)]!.data as Float32Array]));
  };
  const onTflite = async (bytes: Uint8Array): Promise<Record<string, Float32Array>> => {
    const { openTflite } = await import('../../runtime/litert.ts');
    const session = await openTflite(bytes);
    const fed = Object.entries(modelFeeds(session, one.data, one.shape, inputs));
    const results = await session.run(Object.fromEntries(fed.map(([name, { data }]) => [name, data])));
    session.dispose();
    return results as Record<string, Float32Array>;
  };
  const expected = await onOnnx(onnxContent(lowerToOnnx(whole)));
  const { bytes } = make(whole);
  const actual = await (file.format === 'onnx' ? onOnnx(bytes) : onTflite(inOnePiece(bytes, file.file, 'TFLite')));
  return values.find(({ name }) => differs(expected[name]!, actual[name], file.precision))?.layer;
}

/** Largest difference between two arrays; infinite where their lengths differ, or one has a number and the other none. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN compares false with everything: it must not pass as no difference.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
