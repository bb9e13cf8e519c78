import { UserError } from '../../base/errors.ts';
import { argMax, percent, sum } from '../../base/numbers.ts';
import { RandomStream } from '../../base/random.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches/batches.ts';
import { countOfElements, sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import type { Model } from '../../formats/onnx/model.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { fieldValues } from '../../tasks/fields.ts';
import { taskOf } from '../../tasks/registry.ts';
import { notFinite } from '../answers/soft-targets.ts';
import type { Teacher } from './teacher.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';

/** Inputs of a file, by their names. */
type FileFeeds = Readonly<Record<string, InferenceTensor>>;

/** Quantizes an ONNX file to int8, calibrated with these inputs; `UserError` for a file that cannot be quantized. */
export type ToInt8 = (bytes: OnnxContent, name: string, samples: readonly FileFeeds[]) => Promise<OnnxContent>;

/** Options for opening a file: other content, and a listener to its inputs, which returns true if only these are wanted, and no answer. */
export interface OpenedWith {
  readonly bytes?: OnnxContent;
  readonly onFed?: (feeds: FileFeeds) => boolean;
}

const CALIBRATED = 128;
const COMPARED = 384;
const BATCH = 32;

/** Minimum similarity of 8-bit answers: a signal-to-noise ratio of 20 dB, and a class that the float file holds for hardly less probable than its own. */
const LEAST_DB = 20;
/** Maximum mean probability that other classes cost, and the sum that is allowed with any number of samples: that of one class it was sure of. */
const [MOST_LOST, ONE_LOST] = [0.01, 1];

/** `UserError` for a file of texts with open length: its inputs have many lengths, and quantization calibrates one. */
export function refuseOpenTexts({ graph }: Model, name: string, { text }: Pick<Dataset, 'text'>): void {
  if (text === undefined) return;
  const stored = new Set(graph.initializers.map((tensor) => tensor.name));
  const open = graph.inputs.find((input) => !stored.has(input.name) && typeof input.dims?.[1] !== 'number');
  if (open === undefined) return;
  const dims = open.dims?.map((dim) => dim ?? '?').join(', ') ?? '';
  throw new UserError(
    `teacher.precision: int8: ${name}: expected texts of one length, received the input ${open.name} [${dims}]`,
    `Export the file with inputs [batch, ${text.length}], or set teacher.precision: fp32.`,
  );
}

/**
 * Quantizes a teacher's file and asks it in 8 bits. It is calibrated with inputs of the float file, so the same preparation holds for both, and its
 * answers to other samples are compared with the float file's. `UserError` if they differ too much. `key`: the float file's.
 */
export async function int8Teacher(
  file: OnnxContent,
  open: (other: OpenedWith) => Promise<Teacher>,
  dataset: Dataset,
  toInt8: ToInt8,
): Promise<{ readonly teacher: Teacher; readonly key: string; readonly said: string }> {
  if (dataset.count < 2)
    throw new UserError(
      `teacher.precision: int8: expected at least 2 validation samples, whose answers are compared, received ${dataset.count}`,
      'Give validation more samples, or set teacher.precision: fp32.',
    );
  let fed: FileFeeds[] | undefined;
  const float = await open({ onFed: (feeds) => fed !== undefined && fed.push(feeds) > 0 });
  let int8: Teacher | undefined;
  try {
    const rows = Int32Array.from(new RandomStream(0, 'int8 teacher').permutation(dataset.count));
    // With few samples, the same serve for calibration and comparison.
    const few = rows.length < 2 * BATCH;
    const held = rows.subarray(0, few ? rows.length : Math.min(COMPARED, Math.ceil(rows.length / 2)));
    const calibrated = few ? rows : rows.subarray(held.length, held.length + CALIBRATED);
    const exact = await answersTo(float, dataset, held);
    requireFinite(float, dataset, held, exact);
    const feeds: FileFeeds[] = (fed = []);
    await answersTo(float, dataset, calibrated);
    fed = undefined;
    int8 = await open({ bytes: await toInt8(file, float.name, feeds).catch(notQuantized) });
    const likeness = alike(exact, await answersTo(int8, dataset, held), dataset);
    const likenessText = `on ${held.length} validation samples${few ? ', with which it was calibrated too,' : ''} ${likeness.text}`;
    if (!likeness.isEnough)
      throw new UserError(
        `teacher.precision: int8: ${float.name} answers too differently in 8 bits: ${likenessText}; expected at least ${LEAST_DB} dB${likeness.hasClasses ? ` and other classes to cost at most ${percent(MOST_LOST)}` : ''}`,
        'Set teacher.precision: fp32. A file that ends in a softmax is better exported with its logits as output.',
      );
    const { key, params, sizeBytes } = float;
    return { teacher: { ...int8, params, sizeBytes }, key, said: likenessText };
  } catch (error) {
    await int8?.dispose();
    throw error;
  } finally {
    await float.dispose();
  }
}

/** Error for a file that cannot be quantized because it cannot be read, or has unsupported sizes or operators. */
function notQuantized(error: unknown): never {
  if (!(error instanceof UserError)) throw error;
  throw new UserError(
    `teacher.precision: int8: ${error.message}`,
    `Set teacher.precision: fp32, or quantize the file by itself with \`limbeck quantize\` and name what it writes. ${error.hint}`,
    { cause: error },
  );
}

function requireFinite(teacher: Teacher, dataset: Dataset, rows: Int32Array, answers: readonly Float32Array[]): void {
  for (const [batch, values] of answers.entries()) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at === -1) continue;
    throw notFinite(teacher, sampleId(dataset, rows[batch * BATCH + Math.floor(at / teacher.classes)]!));
  }
}

/** Answers, row after row. */
async function answersTo(teacher: Teacher, dataset: Dataset, rows: Int32Array): Promise<Float32Array[]> {
  const all = [];
  for (let at = 0; at < rows.length; at += BATCH) {
    const some = rows.subarray(at, at + BATCH);
    const original = originalsOf(dataset, some, chanceOf(PLAIN));
    const { logits } = await teacher.answer(viewOf(dataset, some, PLAIN), some.length, original);
    all.push(logits.slice());
  }
  return all;
}

interface Likeness {
  readonly isEnough: boolean;
  readonly hasClasses: boolean;
  readonly text: string;
}

/** Similarity of answers, field by field. */
export function alike(expected: readonly Float32Array[], actual: readonly Float32Array[], dataset: Dataset): Likeness {
  const { classes, fields } = taskOf(dataset);
  const each = fields.map(({ name, shape }, i) => {
    const [a, b] = [expected, actual].map((all) => all.map((answers) => fieldValues(answers, fields, name)));
    const { text, ...rest } = likenessOf(a!, b!, countOfElements(shape), i === 0 ? classes?.length : undefined);
    return { ...rest, text: fields.length === 1 ? text : `${name} ${text}` };
  });
  return {
    isEnough: each.every(({ isEnough }) => isEnough),
    hasClasses: classes !== undefined,
    text: each.map(({ text }) => text).join('; '),
  };
}

/**
 * Similarity of values [rows, width]: noise relative to the variation between samples. A common mean, such as of years, does not count. Another class
 * costs the probability by which the float file prefers its own: the accuracy that is lost, if its probabilities are right. A file that is unsure of
 * most samples has many other classes, which cost little.
 */
function likenessOf(
  expected: readonly Float32Array[],
  actual: readonly Float32Array[],
  width: number,
  classes: number | undefined,
): Omit<Likeness, 'hasClasses'> {
  const means = new Float64Array(width);
  const rows = expected.reduce((sum, { length }) => sum + length / width, 0);
  for (const a of expected) for (let i = 0; i < a.length; i++) means[i % width]! += a[i]! / rows;
  let [signal, noise, same, lost, compared] = [0, 0, 0, 0, 0];
  for (const [batch, a] of expected.entries()) {
    const b = actual[batch]!;
    for (let i = 0; i < a.length; i++) {
      signal += (a[i]! - means[i % width]!) ** 2;
      noise += (a[i]! - b[i]!) ** 2;
    }
    for (let at = 0; classes !== undefined && at < a.length; at += classes) {
      compared++;
      const [own, other] = [argMax(a, at, classes), argMax(b, at, classes)];
      if (own === other) {
        same++;
        continue;
      }
      const relative = a.subarray(at, at + classes).map((value) => Math.exp(value - a[at + own]!));
      lost += (1 - relative[other]!) / sum(relative);
    }
  }
  const db = noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
  const cost = same === compared ? '' : `, others cost ${percent(lost / compared)} in probability`;
  const agreement = classes === undefined ? '' : `, same class on ${percent(same / compared)}${cost}`;
  return {
    isEnough: db >= LEAST_DB && lost <= Math.max(ONE_LOST, MOST_LOST * compared),
    text: `${db === Infinity ? 'no difference' : signal === 0 ? 'noise on answers that are all the same' : `${db.toFixed(1)} dB`}${agreement}`,
  };
}
