import { settingKeys } from '../../base/errors.ts';
import type { ProposedChange } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { pairedTest } from '../../measure/paired-test.ts';
import { taskOf } from '../../tasks/registry.ts';
import { isBetter } from '../../tasks/score.ts';
import { taskOfWidth } from '../../tasks/task.ts';
import { classesOf, sideBySide } from '../../tasks/classification/classes.ts';
import { classList, reordered } from './class-order.ts';
import type { Reordering } from './class-order.ts';
import { swappedPairs } from './swapped.ts';
import type { Teacher } from '../teachers/teacher.ts';

/** A teacher opened with other settings, to find the wrong setting of the recipe. */
export interface Alternative {
  /** Setting, for messages that end in "with …", such as `layout: nchw`. */
  readonly what: string;
  /** The same as keys of a recipe's teacher. */
  readonly keys: object;
  /** Undefined if it is how the teacher is read already. */
  readonly open: () => Promise<Teacher | undefined>;
}

/** A teacher's answers [rows, classes] to labelled samples. */
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
  /** Changes of the recipe's teacher that the hint asks for. */
  readonly changes: readonly ProposedChange[];
}

export interface DiagnosisOptions {
  readonly alternatives: readonly Alternative[];
  /** Minimum accuracy for a reading to count as an explanation. */
  readonly required: number;
  /** The order of the teacher's classes in the recipe. */
  readonly declared?: readonly string[] | undefined;
  readonly known?: Reordering | undefined;
}

/**
 * Order of classes that explains the errors of a teacher; undefined if the order is right. Some classes may be in place by chance, so the present
 * accuracy says little. If only a few classes changed places, each pair is tested.
 */
export function explainingOrder(
  answered: Int32Array,
  labels: Int32Array,
  names: readonly string[],
  accuracy: number,
): Reordering | undefined {
  const whole = reordered(answered, labels, names);
  return isMuchBetter(whole.accuracy, accuracy) ? whole : swappedPairs(answered, labels, names);
}

/** True if half of the errors are gone, and the accuracy rises by more than a few samples. */
function isMuchBetter(accuracy: number, before: number): boolean {
  return accuracy - before > 0.05 && 1 - accuracy < 0.5 * (1 - before);
}

/** Maximum number of classes that a message names. */
const NAMED = 4;

/** `declared`: order in the recipe, in which the answers were read. */
export function wrongOrder(
  { classes, accuracy }: Reordering,
  names: readonly string[],
  declared: readonly string[] = names,
): TeacherFault {
  const moved = names.flatMap((name, i) => (name === classes[i] ? [] : [`what it calls ${name} is ${classes[i]!}`]));
  // A detector may have further classes.
  const order = declared.map((name) => classes[names.indexOf(name)] ?? name);
  return {
    fact: `with its classes in another order it is right on ${percent(accuracy, 1)}${moved.length > NAMED ? '' : `: ${moved.join(', ')}`}`,
    hint: `Set \`teacher\` to use classes: ${classList(order)}.`,
    changes: settingKeys({ classes: order }),
  };
}

interface Found {
  readonly what: string;
  readonly from: Alternative;
  readonly accuracy: number;
  readonly logits: Float32Array;
  /** All readings that were asked. */
  readonly tried: readonly string[];
}

/** The best of the other readings, and its answers [rows, classes]. */
export async function bestAlternative(
  dataset: Dataset,
  { rows, labels }: { readonly rows: Int32Array; readonly labels: TargetValues },
  alternatives: readonly Alternative[],
  ask: AskTeacher,
): Promise<Found | undefined> {
  let best: Found | undefined;
  const tried: string[] = [];
  for (const from of alternatives) {
    const other = await from.open().catch(() => undefined);
    if (other === undefined) continue;
    const task = taskOfWidth(taskOf(dataset), other.classes);
    // A tensor of another width cannot be the answers.
    if (other.classes !== task.width) {
      await other.dispose();
      continue;
    }
    const logits = await ask(other, dataset, rows).finally(() => other.dispose());
    const accuracy = task.scoreOf(logits, labels);
    tried.push(from.what);
    if (best === undefined || isBetter(task.score, accuracy, best.accuracy))
      best = { what: from.what, from, accuracy, logits, tried };
  }
  return best;
}

/**
 * Reason why a teacher is not good enough: the order of its classes, the preparation of its input, or unknown. `known`: an order that explains it,
 * used unless something explains it better.
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
  // Requires a good and much better accuracy, which a useless teacher does not reach by luck.
  const isGood = (accuracy: number): boolean => accuracy > required || accuracy === 1;
  const explains = (accuracy: number): boolean =>
    isGood(accuracy) && (accuracy > 2 * asked.accuracy + 0.05 || isMuchBetter(accuracy, asked.accuracy));
  const isBest = best !== undefined && best.accuracy >= order.accuracy;
  if (isBest && (explains(best.accuracy) || (isGood(best.accuracy) && isClearlyBetter(best, asked, dataset))))
    return otherReading(best);
  if (known !== undefined || explains(order.accuracy)) return wrongOrder(order, classNames, declared);
  return {
    fact: best === undefined ? '' : nothingExplains(best, order),
    hint: 'Check that this teacher was trained on this data set, and how its input is prepared (`teacher.layout`, `teacher.normalize`).',
    changes: [],
  };
}

/** Number of samples per reading: a tenth of those for the teacher itself, because there may be ten other readings. */
const TRIED = 100;
/** Samples at once, after which a reading with too many errors is asked no further. */
const PART = 20;
/** Maximum probability that chance explains a reading's advantage, for a run to stop: there are ten readings, and many runs. */
const EVIDENT = 1e-4;

interface BetterReading extends TeacherFault, Pick<Found, 'what' | 'accuracy'> {
  /** False if chance may explain the advantage, or more than half of the errors stay. */
  readonly isEvident: boolean;
  /** The reading as keys of a recipe's teacher. */
  readonly keys: object;
}

/** Another reading of a teacher that is clearly better; undefined if there is none. */
export async function betterReading(
  dataset: Dataset,
  asked: LabelledAnswers,
  alternatives: readonly Alternative[],
  ask: AskTeacher,
): Promise<BetterReading | undefined> {
  const { rows, labels, accuracy } = asked;
  if (!mayBeClear(1, accuracy)) return undefined;
  const isTried = (_: number, i: number): boolean => i % Math.max(1, Math.floor(rows.length / TRIED)) === 0;
  const few = { rows: rows.filter(isTried).subarray(0, TRIED), labels: labels.filter(isTried).subarray(0, TRIED) };
  // A reading that has too many errors to win is asked no further. Its other answers stay zero: even if all count as right, it loses.
  const askInParts: AskTeacher = async (other, of, some) => {
    const logits = new Float32Array(some.length * other.classes);
    for (let at = 0, right = some.length; at < some.length && mayBeClear(right / some.length, accuracy); at += PART) {
      const answers = await ask(other, of, some.subarray(at, at + PART));
      logits.set(answers, at * other.classes);
      right -= classesOf(answers, other.classes).filter((found, i) => found !== few.labels[at + i]).length;
    }
    return logits;
  };
  const first = await bestAlternative(dataset, few, alternatives, askInParts);
  if (first === undefined || !mayBeClear(first.accuracy, accuracy)) return undefined;
  // Repeated on all rows, because a few samples can mislead.
  const best = rows.length === few.rows.length ? first : await bestAlternative(dataset, asked, [first.from], ask);
  if (best === undefined) return undefined;
  const isMuch = isMuchBetter(best.accuracy, accuracy);
  const isClear = isClearlyBetter(best, asked, dataset);
  if (!isMuch && !isClear) return undefined;
  const { what, from } = best;
  return { ...otherReading(best), what, keys: from.keys, accuracy: best.accuracy, isEvident: isMuch && isClear };
}

/** True if an accuracy is so much higher that a paired test can decide; the test may find that chance explains it. */
function mayBeClear(accuracy: number, before: number): boolean {
  return accuracy - before > 0.05;
}

/** True if another reading is right more often than the reading of the recipe, by more than chance explains. */
function isClearlyBetter(
  best: Pick<Found, 'accuracy' | 'logits'>,
  { labels, logits, accuracy }: LabelledAnswers,
  { classNames }: Dataset,
): boolean {
  const [own, its] = [logits, best.logits].map((answers) => classesOf(answers, classNames.length));
  const { onlyThis, onlyOther } = sideBySide(its!, own!, labels);
  const { p } = pairedTest({ onlyFirst: onlyThis, onlySecond: onlyOther, samples: labels.length });
  return mayBeClear(best.accuracy, accuracy) && p < EVIDENT;
}

/** The readings that were tried and the best figures, none of which tells that it is the right one. */
function nothingExplains({ what, accuracy, tried }: Found, order: Reordering): string {
  const single = tried.filter((one) => !one.includes(' and '));
  const others = single.length < tried.length ? ' and layouts beside normalizations' : '';
  return `of ${single.join(', ')}${others} the best is ${what}, with which it is right on ${percent(accuracy, 1)}; with its classes in the best other order it is right on ${percent(order.accuracy, 1)}`;
}

function otherReading({ what, accuracy, from }: Pick<Found, 'what' | 'accuracy' | 'from'>): TeacherFault {
  return {
    fact: `with ${what} it is right on ${percent(accuracy, 1)}`,
    hint: `Set \`teacher\` to use ${what}.`,
    changes: settingKeys(from.keys),
  };
}
