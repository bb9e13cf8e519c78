import { UserError } from '../base/errors.ts';
import { viewOf } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Teacher } from './teacher.ts';

/** The same teacher read in another way, to find out what is wrong with the way it was asked for. */
export interface Alternative {
  /** Completes "with …", e.g. `layout: nchw`. */
  readonly what: string;
  readonly open: () => Promise<Teacher>;
}

export interface PreflightOptions {
  /** Required accuracy, 0 … 1. Default: better than chance, by three standard errors. */
  readonly minAccuracy?: number | undefined;
  readonly alternatives?: readonly Alternative[];
  /** Samples that are asked about. Default 1000. */
  readonly samples?: number;
}

export interface Preflight {
  readonly accuracy: number;
  readonly samples: number;
}

const BATCH = 100;

/**
 * Ask the teacher about some labelled samples before anything is trained on its word. `UserError` for another number of
 * classes, answers that are not finite or always the same, and a teacher that is no better than chance; the last says what
 * would be better: another layout, another normalization, another order of classes.
 */
export async function preflight(
  teacher: Teacher,
  dataset: Dataset,
  options: PreflightOptions = {},
): Promise<Preflight> {
  const classes = dataset.classNames.length;
  if (teacher.classes !== classes) {
    throw new UserError(
      `${teacher.name}: expected answers for the ${classes} classes of the data set, received ${teacher.classes}`,
      'Name the right output with `teacher.output`, or use a teacher of this data set.',
    );
  }
  const rows = someRows(dataset, options.samples ?? 1000);
  const labels = rows.map((row) => dataset.labels[row]!);
  const logits = await answers(teacher, dataset, rows);
  if (logits.some((value) => !Number.isFinite(value))) {
    throw new UserError(
      `${teacher.name}: some of its answers are not finite numbers`,
      'Check its normalization (`teacher.normalize`), and whether its weights hold NaN.',
    );
  }
  if (areConstant(logits, classes)) {
    throw new UserError(
      `${teacher.name}: gives the same answer to ${rows.length} different samples`,
      'Its weights may be missing from the file, or its input range may be wrong (`teacher.normalize`).',
    );
  }
  const accuracy = accuracyOf(logits, labels, classes);
  const chance = largestShare(labels, classes);
  const required = options.minAccuracy ?? Math.min(1, chance + 3 * Math.sqrt((chance * (1 - chance)) / rows.length));
  if (accuracy > required || (options.minAccuracy !== undefined && accuracy >= required)) {
    return { accuracy, samples: rows.length };
  }
  const cause = await diagnosis(teacher, dataset, { rows, labels, logits, accuracy }, options.alternatives ?? []);
  const bar =
    options.minAccuracy === undefined
      ? `the most frequent class alone gives ${percent(chance)}`
      : `teacher.minAccuracy asks for ${percent(required)}`;
  throw new UserError(
    `${teacher.name}: right on ${percent(accuracy)} of ${rows.length} validation samples, and ${bar}${cause.fact}`,
    cause.hint,
  );
}

/** Spread over the split: some data sets are sorted by class. */
function someRows(dataset: Dataset, most: number): Int32Array {
  const n = Math.min(most, dataset.count);
  return Int32Array.from({ length: n }, (_, i) => Math.floor((i * dataset.count) / n));
}

/** Logits [rows, classes] of the plain samples. */
export async function answers(teacher: Teacher, dataset: Dataset, rows: Int32Array): Promise<Float32Array> {
  const all = new Float32Array(rows.length * teacher.classes);
  for (let start = 0; start < rows.length; start += BATCH) {
    const part = rows.subarray(start, start + BATCH);
    const x = viewOf(dataset, part, { seed: 0, view: 0, augment: [] });
    all.set((await teacher.answer(x, part.length)).logits, start * teacher.classes);
  }
  return all;
}

export function argMax(values: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}

export function accuracyOf(logits: Float32Array, labels: ArrayLike<number>, classes: number): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (argMax(logits, i * classes, classes) === labels[i]) right++;
  return right / labels.length;
}

function areConstant(logits: Float32Array, classes: number): boolean {
  if (logits.length === classes) return false;
  return logits.every((value, i) => Math.abs(value - logits[i % classes]!) <= 1e-6 * Math.max(1, Math.abs(value)));
}

function largestShare(labels: Int32Array, classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return Math.max(...counts) / labels.length;
}

interface Asked {
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  readonly logits: Float32Array;
  readonly accuracy: number;
}

async function diagnosis(
  teacher: Teacher,
  dataset: Dataset,
  asked: Asked,
  alternatives: readonly Alternative[],
): Promise<{ fact: string; hint: string }> {
  const found = [reordered(asked, dataset.classNames)];
  for (const { what, open } of alternatives) {
    const other = await open().catch(() => undefined);
    if (other === undefined) continue;
    const logits = await answers(other, dataset, asked.rows).finally(() => other.dispose());
    found.push({ what, accuracy: accuracyOf(logits, asked.labels, teacher.classes) });
  }
  const best = found.sort((a, b) => b.accuracy - a.accuracy)[0]!;
  // Something that is twice as good, and good: not a lucky variant of a teacher that knows nothing.
  if (best.accuracy > 2 * asked.accuracy + 0.05) {
    return {
      fact: `; with ${best.what} it is right on ${percent(best.accuracy)}`,
      hint: `Set \`teacher\` to use ${best.what}.`,
    };
  }
  return {
    fact: alternatives.length > 0 ? `; other layouts, normalizations and orders of classes are no better` : '',
    hint: 'Check that this teacher was trained on this data set, and how its input is prepared (`teacher.layout`, `teacher.normalize`).',
  };
}

/** How good the teacher would be if each of its answers stood for the class that it is most often given to. */
function reordered({ labels, logits }: Asked, names: readonly string[]): { what: string; accuracy: number } {
  const classes = names.length;
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[argMax(logits, i * classes, classes)]![labels[i]!]!++;
  const pairs = counts.flatMap((row, answer) => row.map((count, label) => ({ answer, label, count })));
  const labelOf = new Map<number, number>();
  const taken = new Set<number>();
  let right = 0;
  for (const { answer, label, count } of pairs.sort((a, b) => b.count - a.count)) {
    if (labelOf.has(answer) || taken.has(label)) continue;
    labelOf.set(answer, label);
    taken.add(label);
    right += count;
  }
  const order = Array.from({ length: classes }, (_, answer) => names[labelOf.get(answer)!]!);
  return { what: `classes: [${order.join(', ')}]`, accuracy: right / labels.length };
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
