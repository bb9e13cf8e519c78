import { bytesOf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { AugmentStep } from '../../data/config.ts';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { readSafetensorsFile } from '../../files/safetensors-file.ts';
import type { Safetensors } from '../../formats/safetensors.ts';
import { unseal } from '../../formats/sealed.ts';
import type { SafetensorsFile } from '../../formats/sealed.ts';
import type { TeacherRecipe } from '../../recipe/schema/teacher.ts';
import { drawnFrom, StoredSoftTargets } from './soft-targets.ts';
import type { SoftTargets } from './soft-targets.ts';
import { orderOf, inClassOrder } from '../../files/class-order.ts';
import { preflight } from '../preflight/preflight.ts';
import type { Preflight } from '../preflight/preflight.ts';
import { answersProbabilities, logitsOfProbabilities } from '../teachers/teacher.ts';
import { parseNpy } from '../../base/numpy.ts';
import { npySamples } from '../../data/readers/numpy/npy.ts';

/** Maximum number of samples that stored answers are checked on. */
const CHECKED = 10_000;

export interface StoredLogitsOptions extends Partial<Pick<TeacherRecipe, 'minAccuracy' | 'confirmed' | 'outputs'>> {
  /** Class names in the order of the answers, if it differs from the data set's. */
  readonly classes?: readonly string[] | undefined;
  /** See `PreflightOptions`. */
  readonly minConfidence?: number | undefined;
  /** Augmentation and seed of the views that the student is shown. */
  readonly augment?: readonly AugmentStep[];
  readonly seed?: number;
}

export interface StoredLogits extends Preflight {
  readonly answers: SoftTargets;
  /** Number of views of each sample with stored answers; undefined unless the student can be shown these views. */
  readonly views: number | undefined;
  /** True if the student is shown the same pictures. */
  readonly isSame: boolean;
}

/** Content of a file of answers, and its bytes in parts, by which a run knows the file again. */
export async function readStoredLogits(
  file: string,
): Promise<{ readonly content: Safetensors; readonly parts: readonly Uint8Array[] }> {
  if (file.endsWith('.npy')) {
    const bytes = await readBytes(file);
    return { content: npyLogits(bytes, file), parts: [bytes] };
  }
  const read = await readSafetensorsFile(file);
  const parts = [read.head, ...[...read.tensors.values()].map(({ data }) => bytesOf(data))];
  return { content: checkedSeal(read, file), parts };
}

/** Opens the stored answers of a teacher, and runs the checks of `preflight` on them, as on a teacher's file. */
export async function storedLogits(
  content: Safetensors,
  file: string,
  dataset: Dataset,
  {
    minAccuracy,
    minConfidence,
    confirmed,
    outputs = 'auto',
    classes: given,
    augment = [],
    seed = 0,
  }: StoredLogitsOptions = {},
): Promise<StoredLogits> {
  const stored = new StoredSoftTargets(content, dataset, file);
  const { width: classes } = stored;
  const order = orderOf(file, given, dataset.classNames);
  const valuesOf = async (ids: Int32Array, view = 0): Promise<Float32Array> =>
    (await stored.answersFor({ ids, view, x: new Float32Array(0) })).teacherLogits!;
  for (let view = 0; view < stored.views; view++) await refuseNotFinite((ids) => valuesOf(ids, view), file, dataset);
  const { labelled } = dataset;
  const known = Int32Array.from(dataset.ids.keys()).filter((row) => labelled === undefined || labelled[row] === 1);
  const from = known.length > 0 ? known : Int32Array.from(dataset.ids.keys());
  const n = Math.min(CHECKED, from.length);
  const rows = Int32Array.from({ length: n }, (_, i) => from[Math.floor((i * from.length) / n)]!);
  const isProbability = answersProbabilities(file, outputs, await valuesOf(rows), classes);
  const answersTo = async (ids: Int32Array, view?: number): Promise<Float32Array> => {
    const values = await valuesOf(ids, view);
    return inClassOrder(isProbability ? logitsOfProbabilities(values) : values, order);
  };
  const storedTeacher = { name: file, classes, answersTo };
  const found = await preflight(storedTeacher, dataset, {
    minAccuracy,
    minConfidence,
    confirmed,
    rows,
    declared: given,
  });
  const isSame = (content.metadata['drawn'] ?? drawnFrom([], seed)) === drawnFrom(augment, seed);
  const answers: SoftTargets = {
    width: classes,
    answersFor: async ({ ids, view }) => ({ teacherLogits: await answersTo(ids, view) }),
  };
  return { ...found, answers, isSame, views: isSame && augment.length > 0 ? stored.views : undefined };
}

async function refuseNotFinite(
  valuesOf: (ids: Int32Array) => Promise<Float32Array>,
  file: string,
  dataset: Dataset,
): Promise<void> {
  const rows = Int32Array.from(dataset.ids.keys());
  for (let start = 0; start < rows.length; start += CHECKED) {
    const asked = rows.subarray(start, start + CHECKED);
    const values = await valuesOf(asked);
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at === -1) continue;
    const sample = sampleId(dataset, start + Math.floor((at * asked.length) / values.length));
    throw new UserError(
      `${file}: the stored logits of sample ${sample} are not finite`,
      'Let the teacher answer again.',
    );
  }
}

/** Answers without their seal, if they have one. `UserError` if it does not fit: the logits would be wrong. */
function checkedSeal(read: SafetensorsFile, file: string): Safetensors {
  const { key, done, sha256 } = read.metadata;
  if (key === undefined || done === undefined || sha256 === undefined) return read;
  try {
    return unseal(read, file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint =
      'Copy it again from the run that wrote it. A file that you have changed yourself must not keep its metadata.';
    throw new UserError(error.message, hint, { cause: error });
  }
}

/**
 * Logits of a NumPy file as a store of soft targets: an array [samples, classes], row i for sample i of the training file (before a part of it
 * becomes the validation split). `limbeck serve --keep` writes such a file beside its samples.
 */
export function npyLogits(bytes: Uint8Array, file: string): Safetensors {
  const array = parseNpy(bytes, file);
  const [samples = 0, classes = 0, ...more] = array.shape;
  if (samples === 0 || classes === 0 || more.length > 0) {
    throw new UserError(
      `${file}: expected logits as [samples, classes], received [${array.shape.join(', ')}]`,
      'Save one row of logits for each sample of the training file, in its order.',
    );
  }
  const data = Float32Array.from(npySamples(array));
  return {
    tensors: new Map([
      ['logits', { dtype: 'float32', shape: [1, samples, classes], data }],
      ['ids', { dtype: 'int32', shape: [samples], data: Int32Array.from({ length: samples }, (_, i) => i) }],
    ]),
    metadata: {},
  };
}
