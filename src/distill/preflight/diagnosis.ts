import { percent } from '../../base/numbers.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { pairedTest } from '../../measure/paired-test.ts';
import { taskOf } from '../../tasks/registry.ts';
import { isBetter } from '../../tasks/score.ts';
import { classesOf, sideBySide } from '../../tasks/classification/classes.ts';
import { classList, reordered } from './class-order.ts';
import type { Reordering } from './class-order.ts';
import { swappedPairs } from './swapped.ts';
import type { Teacher } from '../teachers/teacher.ts';

/** Teacher opened with other settings, to find which setting of the recipe is wrong. */
export interface Alternative {
  /** Completes "with …", e.g. `layout: nchw`. */
  readonly what: string;
  readonly open: () => Promise<Teacher>;
}

/** A teacher's answers [rows, classes] to samples whose labels are known. */
export interface LabelledAnswers {
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  readonly logits: Float32Array;
  readonly accuracy: number;
}

export type AskTeacher = (teacher: Teacher, dataset: Dataset, rows: Int32Array) => Promise<Float32Array>;

export interface TeacherFault {
  readonly fact: string;
  readonly hint: string;
}

export interface DiagnosisOptions {
  readonly alternatives: readonly Alternative[];
  /** Accuracy that a reading must have to explain anything. */
  readonly required: number;
  /** The order of the teacher's classes as the recipe gives it. */
  readonly declared?: readonly string[] | undefined;
  readonly known?: Reordering | undefined;
}

/**
 * The order of classes that explains the errors of a teacher that knows something; undefined where it is as it should be.
 * Some classes may be in their place by chance, so the accuracy as it is says little. Where only a few changed places, each
 * pair is looked at.
 */
export function explainingOrder(
  { labels, logits, accuracy }: LabelledAnswers,
  names: readonly string[],
): Reordering | undefined {
  const given = classesOf(logits, names.length);
  const whole = reordered(given, labels, names);
  return isMuchBetter(whole.accuracy, accuracy) ? whole : swappedPairs(given, labels, names);
}

/** Half of the errors gone, and not by a few lucky samples. */
function isMuchBetter(accuracy: number, before: number): boolean {
  return accuracy - before > 0.05 && 1 - accuracy < 0.5 * (1 - before);
}

/** Most classes that are named one by one. */
const NAMED = 4;

/** `declared`: the order that the recipe gives already, in which the answers were read. */
function wrongOrder(
  { classes, accuracy }: Reordering,
  names: readonly string[],
  declared: readonly string[] = names,
): TeacherFault {
  const moved = names.flatMap((name, i) => (name === classes[i] ? [] : [`what it calls ${name} is ${classes[i]!}`]));
  const list = classList(declared.map((name) => classes[names.indexOf(name)]!));
  return {
    fact: `with its classes in another order it is right on ${percent(accuracy, 1)}${moved.length > NAMED ? '' : `: ${moved.join(', ')}`}`,
    hint: `Set \`teacher\` to use classes: ${list}.`,
  };
}

interface Found {
  readonly what: string;
  readonly from: Alternative;
  readonly accuracy: number;
  readonly logits: Float32Array;
}

/** The best of the other readings, and its answers [rows, classes]. */
export async function bestAlternative(
  dataset: Dataset,
  { rows, labels }: { readonly rows: Int32Array; readonly labels: TargetValues },
  alternatives: readonly Alternative[],
  ask: AskTeacher,
): Promise<Found | undefined> {
  const task = taskOf(dataset);
  let best: Found | undefined;
  for (const from of alternatives) {
    const other = await from.open().catch(() => undefined);
    if (other === undefined) continue;
    // Another output of the file may be something else.
    if (other.classes !== task.width) {
      await other.dispose();
      continue;
    }
    const logits = await ask(other, dataset, rows).finally(() => other.dispose());
    const accuracy = task.scoreOf(logits, labels);
    if (best === undefined || isBetter(task.score, accuracy, best.accuracy))
      best = { what: from.what, from, accuracy, logits };
  }
  return best;
}

/**
 * Reason why a teacher is not good enough: the order of its classes, the preparation of its input, or neither. `known`: an order that
 * explains it, used where nothing explains it better.
 */
export async function diagnosis(
  dataset: Dataset,
  asked: LabelledAnswers,
  { alternatives, required, declared, known }: DiagnosisOptions,
  ask: AskTeacher,
): Promise<TeacherFault> {
  const { classNames } = dataset;
  const order = known ?? reordered(classesOf(asked.logits, classNames.length), asked.labels, classNames);
  const best = await bestAlternative(dataset, asked, alternatives, ask);
  // Good, and much better: not a lucky variant of a teacher that knows nothing.
  const explains = (accuracy: number): boolean =>
    (accuracy > required || accuracy === 1) &&
    (accuracy > 2 * asked.accuracy + 0.05 || isMuchBetter(accuracy, asked.accuracy));
  if (best !== undefined && best.accuracy >= order.accuracy && explains(best.accuracy)) return otherReading(best);
  if (known !== undefined || explains(order.accuracy)) return wrongOrder(order, classNames, declared);
  return {
    fact: best === undefined ? '' : 'other layouts, normalizations and orders of classes are no better',
    hint: 'Check that this teacher was trained on this data set, and how its input is prepared (`teacher.layout`, `teacher.normalize`).',
  };
}

/** Above it, a teacher's input is taken to be as it wants it. */
const GOOD = 0.9;
/** A tenth of what the teacher itself is asked about: there may be ten other readings. */
const TRIED = 100;
/** Most that chance may explain of a reading's advantage, for a run to stop: there are ten readings, and many runs. */
const EVIDENT = 1e-4;

/** Another reading of a teacher that has less than half of its errors; undefined where there is none. */
export async function farBetterReading(
  dataset: Dataset,
  asked: LabelledAnswers,
  alternatives: readonly Alternative[],
  ask: AskTeacher,
): Promise<(TeacherFault & { readonly isEvident: boolean }) | undefined> {
  const { rows, labels, accuracy } = asked;
  if (accuracy >= GOOD) return undefined;
  const isTried = (_: number, i: number): boolean => i % Math.max(1, Math.floor(rows.length / TRIED)) === 0;
  const few = { rows: rows.filter(isTried).subarray(0, TRIED), labels: labels.filter(isTried).subarray(0, TRIED) };
  const first = await bestAlternative(dataset, few, alternatives, ask);
  if (first === undefined || !isMuchBetter(first.accuracy, accuracy)) return undefined;
  // A few samples can mislead.
  const best = rows.length === few.rows.length ? first : await bestAlternative(dataset, asked, [first.from], ask);
  if (best === undefined || !isMuchBetter(best.accuracy, accuracy)) return undefined;
  const [own, its] = [asked, best].map(({ logits }) => classesOf(logits, dataset.classNames.length));
  const { onlyThis, onlyOther } = sideBySide(its!, own!, labels);
  const { p } = pairedTest({ onlyFirst: onlyThis, onlySecond: onlyOther, samples: labels.length });
  return { ...otherReading(best), isEvident: p < EVIDENT };
}

function otherReading({ what, accuracy }: { what: string; accuracy: number }): TeacherFault {
  return {
    fact: `with ${what} it is right on ${percent(accuracy, 1)}`,
    hint: `Set \`teacher\` to use ${what}.`,
  };
}
