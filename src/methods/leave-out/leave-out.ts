import { monotonicMs } from '../../base/clock.ts';
import { nearest, UserError } from '../../base/errors.ts';
import { percent } from '../../base/numbers.ts';
import { plainBatches } from '../../data/batches/batches.ts';
import { labelledCount, datasetRows } from '../../data/readers/labelled.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { number } from '../../report/format.ts';
import { predictions } from '../../train/evaluate/predict.ts';
import type { Fitted } from '../../train/training.ts';
import type { StageContext } from '../../run/context.ts';
import type { LeaveOut } from '../../run/methods.ts';
import { validationScore } from '../../run/stages/score-as-given.ts';

/**
 * Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 3: the transfer set lacks a class that the teacher knows. The
 * student learns the class from the teacher's answers to other samples; its bias for the class comes out much too low and is raised afterwards.
 */

/** State name of the bias that each named model adds to its logits, [classes]. */
const BIAS = 'logits/bias';
const EVALUATION_BATCH = 256;

/** The context with a training split without the left-out classes. */
function transferSet<C extends Pick<StageContext, 'recipe' | 'data'>>(context: C): C {
  const { recipe, data } = context;
  const { leaveOut } = recipe.distill;
  if (leaveOut === undefined) return context;
  const left = indexesOf(leaveOut.classes, data.classNames);
  const targets = data.train.targets as Int32Array;
  const rows = Int32Array.from(targets.keys()).filter((row) => !left.has(targets[row]!));
  return { ...context, data: { ...data, train: datasetRows(data.train, rows) } };
}

/** Notes for the report; takes the context from `transferSet`. */
function leftOutNotes({ recipe, data }: Pick<StageContext, 'recipe' | 'data'>): string[] {
  const { leaveOut } = recipe.distill;
  if (leaveOut === undefined) return [];
  return [
    `the student and its twin were trained on ${number(data.train.count)} samples, none of the class ${leaveOut.classes.join(' or ')}; the teacher and all scores have all classes`,
  ];
}

/**
 * `UserError` for classes that do not exist, fewer than two remaining classes, samples without a known class, and a bias that cannot be corrected.
 */
export function checkLeftOut(
  { distill: { leaveOut } }: Pick<Recipe, 'distill'>,
  { classNames, train }: Pick<StageContext['data'], 'classNames' | 'train'>,
  { state, name }: Pick<ModelNetwork, 'state' | 'name'>,
): void {
  if (leaveOut === undefined) return;
  const left = indexesOf(leaveOut.classes, classNames);
  const without = train.count - labelledCount(train);
  if (without > 0)
    throw new UserError(
      `distill.leaveOut: expected a label for each sample of train, which tells the samples to leave out, received ${without} of ${train.count} without one`,
      'Give these samples a label, or leave them out of the files.',
    );
  if (classNames.length - left.size < 2)
    throw new UserError(
      `distill.leaveOut.classes: expected at least 2 of ${classNames.length} classes to be left, received ${leaveOut.classes.join(', ')}`,
      'Leave fewer classes out.',
    );
  if (!leaveOut.correctBias || state[BIAS]?.shape.join() === String(classNames.length)) return;
  throw new UserError(
    `distill.leaveOut.correctBias: expected a student with a variable ${BIAS} [${classNames.length}], as each named model has, received ${name}`,
    'Set it to false, or let the last layer of the student be a dense layer called logits.',
  );
}

function indexesOf(names: readonly string[], classNames: readonly string[]): ReadonlySet<number> {
  return new Set(
    names.map((name) => {
      const index = classNames.indexOf(name);
      if (index >= 0) return index;
      const meant = nearest(name, classNames);
      throw new UserError(
        `distill.leaveOut.classes: expected one of ${classNames.join(', ')}, received ${name}`,
        meant === undefined ? 'Name the classes as dataset.classes or the files do.' : `Did you mean ${meant}?`,
      );
    }),
  );
}

/**
 * Adds the number with the highest validation accuracy to the student's bias of the left-out classes. The paper takes the number from the test split;
 * that is not done here.
 */
async function biasCorrected(
  context: Pick<StageContext, 'recipe' | 'data' | 'engine' | 'processes' | 'onEvent' | 'done'>,
  fitted: Fitted,
  stage: string,
): Promise<Fitted> {
  const { recipe, data, onEvent } = context;
  const { leaveOut } = recipe.distill;
  if (leaveOut?.correctBias !== true) return fitted;
  const started = monotonicMs();
  const biasStage = `bias of ${stage}`;
  onEvent({ type: 'stage', stage: biasStage });
  const left = indexesOf(leaveOut.classes, data.classNames);
  const logits = await validationLogits(context, fitted);
  const shift = bestShift(logits, data.validation.targets as Int32Array, left);
  const bias = fitted.weights.get(BIAS)!;
  const raised = (bias.data as Float32Array).map((value, i) => (left.has(i) ? value + shift : value));
  const weights = new Map(fitted.weights).set(BIAS, { ...bias, data: raised });
  const validation = await validationScore(context, fitted.network, weights);
  await context.done(biasStage, (monotonicMs() - started) / 1000, { score: { validation } }, { shift });
  const note = `${stage}: the bias of ${leaveOut.classes.join(', ')} was raised by ${shift.toFixed(2)} after the training, chosen on the validation split, where it is right on ${percent(fitted.validation)} before and ${percent(validation)} after`;
  onEvent({ type: 'message', message: note });
  return { ...fitted, weights, validation, notes: [note] };
}

/** Logits for the validation split, [samples, classes]. */
async function validationLogits(
  { engine, data }: Pick<StageContext, 'data' | 'engine'>,
  { network, weights }: Fitted,
): Promise<Float32Array> {
  const { count, batch } = plainBatches(data.validation, Math.min(EVALUATION_BATCH, data.validation.count));
  const classes = data.classNames.length;
  const all = new Float32Array(data.validation.count * classes);
  let done = 0;
  for (let i = 0; i < count; i++) {
    const { x, ids } = batch(i);
    const { logits } = await predictions(engine, { network, weights }, { x, n: ids.length });
    all.set(logits!, done * classes);
    done += ids.length;
  }
  return all;
}

/**
 * Shift of the logits of the classes `left` with the highest accuracy, for logits [n, classes]. The accuracy is constant between numbers at which an
 * answer changes: returns the middle of the best range, of equal ranges the one nearest to 0.
 */
export function bestShift(logits: Float32Array, targets: Int32Array, left: ReadonlySet<number>): number {
  const classes = logits.length / targets.length;
  // A shift above `at` changes the sample's answer to a left-out class; `gain`: 1 if that makes it right, -1 if wrong.
  const changes = Array.from(targets, (target, row) => {
    const rowLogits = logits.subarray(row * classes, (row + 1) * classes);
    const best = (isLeft: boolean): number =>
      rowLogits.reduce(
        (most, value, i) => (left.has(i) === isLeft && (most < 0 || value > rowLogits[most]!) ? i : most),
        -1,
      );
    const [kept, other] = [best(false), best(true)];
    return { at: rowLogits[kept]! - rowLogits[other]!, gain: Number(other === target) - Number(kept === target) };
  }).sort((a, b) => a.at - b.at);
  let right = 0;
  let found = { right: -Infinity, shift: 0 };
  for (let i = 0; i <= changes.length; i++) {
    const [from, to] = [changes[i - 1]?.at ?? -Infinity, changes[i]?.at ?? Infinity];
    right += changes[i - 1]?.gain ?? 0;
    if (from === to) continue;
    const shift = within(from, to);
    const isBetter = right > found.right || (right === found.right && Math.abs(shift) < Math.abs(found.shift));
    if (isBetter) found = { right, shift };
  }
  return found.shift;
}

/** A shift between `from` and `to`: 0 if it lies between them, else their middle; beyond the last number any will do. */
function within(from: number, to: number): number {
  if (from < 0 && to > 0) return 0;
  if (from === -Infinity) return to - 1;
  return to === Infinity ? from + 1 : (from + to) / 2;
}

export const leaveOut: LeaveOut = {
  check: checkLeftOut,
  transferSet,
  notes: leftOutNotes,
  corrected: biasCorrected,
};
