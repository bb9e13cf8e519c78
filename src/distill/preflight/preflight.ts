import { percent } from '../../base/numbers.ts';
import { settingKeys, UserError } from '../../base/errors.ts';
import type { ProposedChange } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches/batches.ts';
import { asTeacherSees, countOfElements } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import { oneClassWarning } from '../../tasks/classification/one-class.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import { fieldValues } from '../../tasks/fields.ts';
import { taskOf } from '../../tasks/registry.ts';
import { isBetter } from '../../tasks/score.ts';
import { taskOfWidth } from '../../tasks/task.ts';
import type { Task } from '../../tasks/task.ts';
import { oneByOne } from '../../train/turns.ts';
import type { Turns } from '../../train/turns.ts';
import { accuracyOf, beatsChance, chanceBar, largestShare } from '../../tasks/classification/chance.ts';
import { classesOf } from '../../tasks/classification/classes.ts';
import { bestAlternative, diagnosis, explainingOrder, betterReading } from './diagnosis.ts';
import type { Alternative, AskTeacher, LabelledAnswers, TeacherFault } from './diagnosis.ts';
import { sureAnswersOf } from '../answers/sure-answers.ts';
import { areProbabilities } from '../teachers/teacher.ts';
import type { Teacher } from '../teachers/teacher.ts';

export interface PreflightOptions {
  /** Required accuracy, 0 … 1. Default: better than chance, by three standard errors. */
  readonly minAccuracy?: number | undefined;
  readonly alternatives?: readonly Alternative[];
  /** The order of the teacher's classes in the recipe, in which it is asked. */
  readonly declared?: readonly string[] | undefined;
  /** True if the recipe confirms the teacher's settings although another reading is far better. */
  readonly confirmed?: boolean | undefined;
  /** Least score of answers that teach; see `SureAnswers`. */
  readonly minConfidence?: number | undefined;
  /** Rows to ask about. Default: 20 of each class, 1000 to 5000 in all, spread over the split. */
  readonly rows?: Int32Array;
  readonly onProgress?: OnProgress | undefined;
  /** Turns at the batches that the teacher is asked about. */
  readonly turns?: Turns | undefined;
}

export interface Preflight {
  /** Undefined without labels. */
  readonly accuracy: number | undefined;
  readonly samples: number;
  /** Warnings about a teacher that is good enough, one sentence each. */
  readonly warnings: readonly string[];
  /** Changes of the recipe's teacher that the warnings ask for. */
  readonly changes: readonly ProposedChange[];
}

const BATCH = 100;

/** Second half of a remedy for a teacher that is far better in another reading. */
const CONFIRM = 'If its settings are right, confirm them with `teacher.confirmed: true`.';

/** Remedy for a single sigmoid output: softmax of 0 and z is the sigmoid of z. */
const ONE_OF_TWO =
  '. A model with one sigmoid output tells two classes apart; export it with two logits, 0 and z, where z is what goes into the sigmoid: torch.cat([torch.zeros_like(z), z], 1).';

/** Stored answers of a teacher. */
export interface StoredAnswers {
  /** Name for messages, such as the path of the file. */
  readonly name: string;
  readonly classes: number;
  readonly otherOutputs?: undefined;
  /** Answers [rows, classes] in the order of the data set. */
  readonly answersTo: (rows: Int32Array) => Promise<Float32Array>;
}

/** Remedy for stored answers whose errors have no explanation. */
const ANSWER_AGAIN =
  'They belong to another data set, another order of samples or another order of classes; let the teacher answer again.';

function remedyFor(teacher: object, hint: string): string {
  return 'answersTo' in teacher ? ANSWER_AGAIN : hint;
}

function namesOutput({ otherOutputs = [] }: Teacher | StoredAnswers): string {
  const others = otherOutputs.length === 0 ? '' : ` (it also has: ${otherOutputs.join(', ')})`;
  return `Name the right output with \`teacher.output\`${others}`;
}

/**
 * Tests the teacher on some labelled samples, before anything is trained on its answers. Throws a `UserError` for another number of classes, answers
 * that are not finite or always equal, classes in another order, and a teacher no better than chance; the last names a better layout, normalization
 * or order of classes if there is one.
 */
export async function preflight(
  teacher: Teacher | StoredAnswers,
  given: Dataset,
  options: PreflightOptions = {},
): Promise<Preflight> {
  // Right answers tell how a teacher reads its input, whatever score the recipe chooses.
  const dataset = { ...given, score: undefined };
  const { minAccuracy, alternatives = [], confirmed = false } = options;
  const task = taskOfWidth(taskOf(dataset), teacher.classes);
  const classes = task.width;
  if (teacher.classes !== classes) {
    const expectedAnswers =
      task.classes === undefined ? `${classes} numbers` : `the ${classes} classes of the data set`;
    throw new UserError(
      `${teacher.name}: expected answers for ${expectedAnswers}, received ${teacher.classes}`,
      `${namesOutput(teacher)}${classes === 2 && teacher.classes === 1 && task.classes !== undefined ? ONE_OF_TWO : ', or use a teacher of this data set.'}`,
    );
  }
  const { labelled } = dataset;
  const rows = options.rows ?? someRows(dataset, classes);
  if (rows.some((row) => labelled?.[row] === 0))
    return checkWithoutLabels(teacher, dataset, task, { ...options, rows });
  if (task.classes === undefined) return checkNumbers(teacher, dataset, task, { ...options, rows });
  const answered = await askAbout(teacher, dataset, rows, options);
  const { labels, logits, accuracy } = answered;
  const samples = labels.length;
  refuseUseless(teacher, task, logits, samples);
  const isGood = minAccuracy === undefined ? beatsChance(logits, labels, classes) : accuracy >= minAccuracy;
  const ask: AskTeacher = (other, of, some) => plainLogits(other, of, some, { onProgress: options.onProgress });
  const right = `${teacher.name}: right on ${percent(accuracy, 1)} of ${samplesText(samples, dataset)}`;
  const settings = { alternatives, declared: options.declared };
  if (isGood) {
    const known = explainingOrder(classesOf(logits, classes), labels, dataset.classNames, accuracy);
    // A wrong input can look like a wrong order, so other readings are tried first.
    const found =
      known === undefined
        ? await betterReading(dataset, answered, alternatives, ask)
        : {
            isEvident: true,
            ...(await diagnosis(dataset, answered, { ...settings, required: accuracy, known }, ask)),
          };
    if (found?.isEvident === true && !confirmed) {
      throw new UserError(`${right}, and ${found.fact}`, `${found.hint} ${CONFIRM}`, { changes: found.changes });
    }
    const warnings = found === undefined ? [] : [`${right}; ${found.fact}. ${found.hint}`];
    const changes = found?.changes ?? [];
    return { accuracy, samples, warnings: [...oddities(teacher, dataset, answered), ...warnings], changes };
  }
  const required = minAccuracy ?? chanceBar(labels, classes);
  const { fact, hint, changes } = await diagnosis(dataset, answered, { ...settings, required }, ask);
  const bar =
    minAccuracy === undefined
      ? `the most frequent class alone gives ${percent(largestShare(labels, classes), 1)}`
      : `teacher.minAccuracy asks for ${percent(required, 1)}`;
  throw new UserError(`${right}, and ${bar}${fact && `; ${fact}`}`, fact === '' ? remedyFor(teacher, hint) : hint, {
    changes,
  });
}

/** `preflight` for data without labels, which do not tell how often the teacher is right. */
async function checkWithoutLabels(
  teacher: Teacher | StoredAnswers,
  dataset: Dataset,
  task: Task,
  { minAccuracy, minConfidence, rows, ...asking }: PreflightOptions & { readonly rows: Int32Array },
): Promise<Preflight> {
  if (minAccuracy !== undefined)
    throw new UserError(
      `teacher.minAccuracy: expected labels to check it on, and none of ${samplesText(rows.length, dataset)} has one, received ${minAccuracy}`,
      'Take it out, or give these samples a label.',
    );
  const given = await plainLogits(teacher, dataset, rows, asking);
  refuseUseless(teacher, task, given, rows.length);
  const asked = { rows, hasLabels: false, text: samplesText(rows.length, dataset) };
  const sure = await sureAnswersOf(dataset);
  const few = sure?.few(teacher.name, given, dataset, asked, minConfidence);
  if (task.classes === undefined)
    return { accuracy: undefined, samples: rows.length, warnings: few === undefined ? [] : [few], changes: [] };
  const counts = classesOf(given, task.width).reduce(
    (sum, label) => sum.set(label, (sum.get(label) ?? 0) + 1),
    new Map<number, number>(),
  );
  const [[most, count]] = [...counts].sort(([, a], [, b]) => b - a) as [[number, number]];
  if (count < rows.length) return { accuracy: undefined, samples: rows.length, warnings: [], changes: [] };
  throw new UserError(
    `${teacher.name}: gives all ${rows.length} samples the class ${dataset.classNames[most]!}`,
    remedyFor(
      teacher,
      'Check how its input is prepared (`teacher.normalize`, `teacher.layout`), and that the samples are of several kinds.',
    ),
  );
}

/** `preflight` for tasks without classes: a teacher must be better than a model that ignores the samples. */
async function checkNumbers(
  teacher: Teacher | StoredAnswers,
  dataset: Dataset,
  task: Task,
  options: PreflightOptions & { readonly rows: Int32Array },
): Promise<Preflight> {
  const { alternatives = [], minConfidence, rows, declared, confirmed = false, ...asking } = options;
  const given = await plainLogits(teacher, dataset, rows, asking);
  refuseUseless(teacher, task, given, rows.length);
  const text = samplesText(rows.length, dataset);
  const labels = targetsOf(dataset, rows);
  const sure = await sureAnswersOf(dataset);
  const swapped = sure?.otherClasses(given, dataset, { rows, declared });
  const accuracy = task.scoreOf(given, labels);
  const scored = `${teacher.name}: ${task.score.said(accuracy, text)}`;
  if (swapped !== undefined && !confirmed)
    throw new UserError(`${scored}; ${swapped.fact}`, `${swapped.hint} ${CONFIRM}`, { changes: swapped.changes });
  const useless = await noBetterThanNothing(teacher, dataset, { rows, given }, alternatives);
  if (useless !== undefined) throw new UserError(useless.fact, useless.hint, useless);
  const stuck = task.stuck(teacher.name, given, labels);
  const asked = { rows, hasLabels: true, text };
  const few = sure?.few(teacher.name, given, dataset, asked, minConfidence);
  return {
    accuracy,
    samples: rows.length,
    warnings: [stuck, few, swapped && `${scored}; ${swapped.fact}. ${swapped.hint}`].filter(
      (warning) => warning !== undefined,
    ),
    changes: swapped?.changes ?? [],
  };
}

/** Message about answers no better than those of a model that ignores the samples, with a better reading; undefined for better answers. */
export async function noBetterThanNothing(
  teacher: Pick<Teacher | StoredAnswers, 'name'>,
  dataset: Dataset,
  { rows, given }: { readonly rows: Int32Array; readonly given: Float32Array },
  alternatives: readonly Alternative[],
): Promise<TeacherFault | undefined> {
  const task = taskOfWidth(taskOf(dataset), given.length / rows.length);
  const labels = targetsOf(dataset, rows);
  const { score, isBetter: isGood, chance } = task.skill(given, labels);
  if (isGood) return undefined;
  const fact = `${teacher.name}: ${task.score.said(score, samplesText(rows.length, dataset))}, and ${chance}`;
  const best = await bestAlternative(dataset, { rows, labels }, alternatives, plainLogits);
  if (best !== undefined && isBetter(task.score, best.accuracy, task.ignorance(labels))) {
    const better = task.score.said(best.accuracy, 'them');
    return {
      fact: `${fact}; with ${best.what} it is ${better}`,
      hint: `Set \`teacher\` to use ${best.what}.`,
      changes: settingKeys(best.from.keys),
    };
  }
  const hint =
    'Check that it was trained on this data set, that it answers in the units of the labels, or logits of several labels, and how its input is prepared (`teacher.layout`, `teacher.normalize`).';
  return { fact, hint: remedyFor(teacher, hint), changes: [] };
}

/** `UserError` for answers that are not finite, or have a field that is the same for all samples. */
function refuseUseless(
  teacher: Teacher | StoredAnswers,
  { fields }: Pick<Task, 'fields'>,
  logits: Float32Array,
  samples: number,
): void {
  for (const { name: field, shape } of fields) {
    const values = fieldValues(logits, fields, field);
    const name = fields.length === 1 ? teacher.name : `${teacher.name}: field ${field}`;
    refuseNotFinite(teacher, values, name);
    if (areConstant(values, countOfElements(shape))) {
      throw new UserError(
        `${name}: gives the same answer to ${samples} different samples`,
        remedyFor(
          teacher,
          'Its weights may be missing from the file, or its input range may be wrong (`teacher.normalize`).',
        ),
      );
    }
  }
}

/** `UserError` for answers that are not finite. */
export function refuseNotFinite(teacher: Teacher | StoredAnswers, values: Float32Array, name = teacher.name): void {
  if (values.every((value) => Number.isFinite(value))) return;
  throw new UserError(
    `${name}: some of its answers are not finite numbers`,
    remedyFor(teacher, 'Check its normalization (`teacher.normalize`), and whether its weights hold NaN.'),
  );
}

/** A teacher can be better than chance although its settings are wrong. */
function oddities(
  { name, classes }: Teacher | StoredAnswers,
  dataset: Dataset,
  { labels, logits }: LabelledAnswers,
): string[] {
  const oneClass = oneClassWarning(name, classesOf(logits, classes), labels, dataset.classNames);
  const asLogits = `${name}: its answers look like probabilities, not logits (\`teacher.outputs\`)`;
  return [...(oneClass === undefined ? [] : [oneClass]), ...(areProbabilities(logits, classes) ? [asLogits] : [])];
}

/** A model's answers to these rows, beside their labels. */
export async function askAbout(
  teacher: Teacher | StoredAnswers,
  dataset: Dataset,
  rows: Int32Array,
  asking: AnswersOptions = {},
): Promise<LabelledAnswers> {
  const labels = targetsOf(dataset, rows) as Int32Array;
  const logits = await plainLogits(teacher, dataset, rows, asking);
  return { rows, labels, logits, accuracy: accuracyOf(logits, labels, teacher.classes) };
}

/** Number of samples with the name of their split, as text. */
export function samplesText(count: number, { name }: Dataset): string {
  return `${count} ${name === 'train' ? 'training' : name} samples`;
}

/** Number of samples to ask about. With fewer per class, two swapped classes could not be told from a few mistakes. */
function samplesFor(classes: number): number {
  return Math.min(5000, Math.max(1000, 20 * classes));
}

/** Rows to ask about, spread over the split, because some data sets are sorted by class. */
export function someRows(dataset: Dataset, classes: number): Int32Array {
  const n = Math.min(samplesFor(classes), dataset.count);
  return Int32Array.from({ length: n }, (_, i) => Math.floor((i * dataset.count) / n));
}

/** Most bytes of answers that are remembered. */
const REMEMBERED = 2 ** 24;

/** The last answers of a teacher to a whole split: a run checks the teacher by them, and scores it by them at its end. */
const remembered = new WeakMap<object, Pick<Dataset, 'ids' | 'samples'> & { readonly logits: Float32Array }>();

/** Logits [rows, classes] of samples without augmentation. */
export async function plainLogits(
  teacher: Teacher | StoredAnswers,
  dataset: Dataset,
  rows: Int32Array,
  { onProgress, turns = oneByOne }: AnswersOptions = {},
): Promise<Float32Array> {
  if ('answersTo' in teacher) return teacher.answersTo(rows);
  const { classes } = teacher;
  const seen = asTeacherSees(dataset);
  const isWhole = rows.length === dataset.count && rows.every((row, i) => row === i);
  const known = isWhole ? remembered.get(teacher) : undefined;
  if (known?.ids === seen.ids && known.samples === seen.samples) return known.logits;
  const count = Math.ceil(rows.length / BATCH);
  const all = await turns.inTurns({ count, width: BATCH * classes }, async (item) => {
    const part = rows.subarray(item * BATCH, (item + 1) * BATCH);
    // Reported before the call too, so that a stop does not wait for a batch of a slow teacher.
    onProgress?.(`${dataset.name} samples,`, item * BATCH, rows.length);
    const original = originalsOf(dataset, part, chanceOf(PLAIN));
    const { logits } = await teacher.answer(viewOf(seen, part, PLAIN), part.length, original);
    onProgress?.(`${dataset.name} samples,`, item * BATCH + part.length, rows.length);
    return logits;
  });
  const logits = all.subarray(0, rows.length * classes);
  if (isWhole && logits.byteLength <= REMEMBERED)
    remembered.set(teacher, { ids: seen.ids, samples: seen.samples, logits });
  return logits;
}

interface AnswersOptions {
  readonly onProgress?: OnProgress | undefined;
  /** Turns at the batches. */
  readonly turns?: Turns | undefined;
}

function areConstant(logits: Float32Array, classes: number): boolean {
  if (logits.length === classes) return false;
  return logits.every((value, i) => Math.abs(value - logits[i % classes]!) <= 1e-6 * Math.max(1, Math.abs(value)));
}
