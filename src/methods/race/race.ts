import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { fingerprint } from '../../data/dataset.ts';
import { labelledCount } from '../../data/readers/labelled.ts';
import { canonicalJson } from '../../recipe/diff.ts';
import { asBefore } from '../../recipe/gone.ts';
import { ACROSS_BATCH, lossNumbers, NEEDS_LABEL } from '../../recipe/schema/loss.ts';
import type { LossName } from '../../recipe/schema/loss.ts';
import type { RaceRecipe } from '../../recipe/schema/race.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { isLossFor } from '../../recipe/task.ts';
import { raceStage } from '../../report/artifact.ts';
import type { Race } from '../../report/types.ts';
import { studentBuilder } from '../../setup/models.ts';
import { taskOf } from '../../tasks/registry.ts';
import { isBetter } from '../../tasks/score.ts';
import type { FitContext, StageContext } from '../../run/context.ts';
import type { Raced } from '../../run/methods.ts';
import { fit } from '../../run/training/fit.ts';
import type { Answers } from '../../run/stages/teacher/answer.ts';

/** A loss with its numbers. */
interface Candidate {
  readonly loss: LossName;
  readonly numbers: Readonly<Record<string, number>>;
  readonly rounds: Race['candidates'][number]['rounds'][number][];
}

/** Candidates, and the number of candidates and epochs of each round. */
interface Course {
  readonly candidates: readonly Candidate[];
  readonly plan: ReturnType<typeof raceRoundsOf>;
  /** Losses that do not take part, with the reason. */
  readonly notes: readonly string[];
}

/** Training of a candidate in a round. */
interface Turn {
  readonly candidate: Candidate;
  readonly epochs: number;
  readonly stage: string;
}

/** Plans the race of a recipe whose loss is `auto`. */
export function courseOf(context: Pick<StageContext, 'recipe' | 'data'>): Course {
  const { distill } = context.recipe;
  if (distill.loss !== 'auto') throw new Error('this recipe names its loss');
  const { candidates, notes } = candidatesOf(context, distill.race);
  return { candidates, notes, plan: raceRoundsOf(candidates.length, distill.race.rounds, distill.epochs) };
}

/** Trainings of round `round` (from 0); `left`: the remaining candidates, best first. */
export function turnsOf({ candidates, plan }: Course, round: number, left: readonly Candidate[]): Turn[] {
  const { count, epochs } = plan[round]!;
  return left.slice(0, count).map((candidate) => {
    const stage = raceStage(round + 1, candidates.indexOf(candidate) + 1);
    return { candidate, epochs, stage };
  });
}

/** Subfolder of the race's job folder with a file for each training that a shard has finished, named by its stage. */
export const RACE_RESULTS = 'done';

export function raceResult(stage: string): string {
  return `${RACE_RESULTS}/${stage}.json`;
}

/**
 * Runs the first `rounds` rounds and returns the candidates, best first; of equal scores, the candidate that led before. `scoreOf`: score of a
 * training on the validation split.
 */
export async function raceRounds(
  { data }: Pick<StageContext, 'data'>,
  course: Course,
  rounds: number,
  scoreOf: (turn: Turn) => Promise<number>,
): Promise<readonly Candidate[]> {
  const { score } = taskOf(data.validation);
  const last = ({ rounds: raced }: Candidate): number => raced.at(-1)!.validation;
  let left = course.candidates;
  for (let round = 0; round < rounds; round++) {
    const turns = turnsOf(course, round, left);
    for (const turn of turns) turn.candidate.rounds.push({ epochs: turn.epochs, validation: await scoreOf(turn) });
    left = turns
      .map(({ candidate }) => candidate)
      .sort((a, b) => Number(isBetter(score, last(b), last(a))) - Number(isBetter(score, last(a), last(b))));
  }
  return left;
}

/**
 * A race of losses by successive halving (Jamieson & Talwalkar 2016, "Non-stochastic best arm identification"): each candidate trains the student for
 * few epochs, the better half on the validation split again for twice as many, from the beginning. All have the same initial weights, samples and
 * order. Each training is a stage of the run, so a stopped race continues; `take` copies the states of a stage that a shard has trained into the run,
 * if they exist.
 */
export async function race<C extends FitContext>(
  context: C,
  lessons: Answers | undefined,
  take: (stage: string, result: string) => Promise<boolean>,
): Promise<Raced<C>> {
  const { recipe } = context;
  const { distill } = recipe;
  if (distill.loss !== 'auto') throw new Error('this recipe names its loss');
  if (lessons === undefined) return { context: withLoss(context, { loss: 'kd', numbers: {} }), notes: [] };
  const { rounds } = distill.race;
  const course = courseOf(context);
  const { candidates, plan, notes } = course;
  const total = plan.reduce((sum, { count, epochs }) => sum + count * epochs, 0);
  context.onEvent({
    type: 'message',
    message: `distill.loss: auto: a race of ${candidates.length} candidates in ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${rounded(total)} epochs in all, before the ${distill.epochs} of the student itself`,
  });
  for (const message of notes) context.onEvent({ type: 'message', message });
  const left = await raceRounds(context, course, rounds, async (turn) => {
    if (await take(turn.stage, raceResult(turn.stage)))
      context.onEvent({ type: 'message', message: `race: ${said(turn.candidate)} was trained by a shard` });
    return trainCandidate(context, turn, lessons);
  });
  const best = left[0]!;
  const message = `the race chose ${said(best)}`;
  context.onEvent({ type: 'message', message });
  return {
    context: withLoss(context, best),
    race: {
      epochs: total,
      candidates: candidates.map(({ loss, numbers, rounds }) => ({ loss, numbers: raced(numbers), rounds })),
      pick: candidates.indexOf(best),
    },
    notes: [
      ...notes,
      `${message} on the validation split, after ${rounded(total)} epochs of ${candidates.length} candidates; the twin has no loss to choose`,
    ],
  };
}

/** All losses of the recipe, each with every temperature and alpha that it accepts, in the order of the recipe. */
function candidatesOf(
  { recipe, data: { train } }: Pick<StageContext, 'recipe' | 'data'>,
  { losses, temperatures, alphas }: RaceRecipe,
): { candidates: Candidate[]; notes: string[] } {
  const { microBatch } = recipe.distill;
  const inParts = microBatch !== undefined || recipe.shards !== undefined;
  const notes: string[] = [];
  const candidates = [...new Set(losses)].flatMap((loss) => {
    const why = !isLossFor(loss, train.task)
      ? `it does not suit the task ${train.task}`
      : NEEDS_LABEL.has(loss) && labelledCount(train) < train.count
        ? `it needs a label of each sample`
        : ACROSS_BATCH.has(loss) && inParts
          ? `it cannot be computed for a part of a batch, as microBatch or several processes need`
          : undefined;
    if (why !== undefined) {
      notes.push(`the race leaves ${loss} out: ${why}`);
      return [];
    }
    const usual = lossNumbers(loss);
    const valuesOrDefault = (name: string, values: readonly number[]): (number | undefined)[] =>
      usual[name] === undefined ? [undefined] : [...new Set(values)];
    return valuesOrDefault('temperature', temperatures).flatMap((temperature) =>
      valuesOrDefault('alpha', alphas).map((alpha): Candidate => {
        const given = { ...(temperature !== undefined && { temperature }), ...(alpha !== undefined && { alpha }) };
        return { loss, numbers: { ...usual, ...given }, rounds: [] };
      }),
    );
  });
  if (candidates.length > 0) return { candidates, notes };
  throw new UserError(
    `distill.race.losses: expected a loss that fits, received ${losses.join(', ')}: ${notes.join('; ')}`,
    'Name other losses.',
  );
}

/** Number of candidates and of epochs in each round: every round halves the candidates and doubles the epochs; the last has half of `epochs`. */
export function raceRoundsOf(candidates: number, rounds: number, epochs: number): { count: number; epochs: number }[] {
  return Array.from({ length: rounds }, (_, i) => ({
    count: Math.ceil(candidates / 2 ** i),
    epochs: epochs / 2 ** (rounds - i),
  }));
}

/** Score of a candidate on the validation split after its training. */
export async function trainCandidate(
  context: FitContext,
  { candidate: { loss, numbers }, epochs, stage }: Turn,
  lessons: Answers,
): Promise<number> {
  const { recipe, data } = context;
  const { seed, student, distill, precision } = recipe;
  const before = asBefore(recipe);
  const taught = lessons.teacher?.key ?? before.teacher;
  const job = {
    loss,
    numbers,
    epochs,
    seed,
    student,
    precision,
    taught,
    dataset: before.dataset,
    distill: before.distill,
  };
  const fitted = await fit(context, {
    stage,
    title: `race: ${said({ loss, numbers })}, ${rounded(epochs)} ${epochs === 1 ? 'epoch' : 'epochs'}`,
    job: sha256(canonicalJson(job)),
    data: () => sha256(fingerprint(data.train), fingerprint(data.validation)),
    build: studentBuilder(context, seed),
    settings: { ...distill, epochs },
    loss,
    lossArgs: { hyper: numbers, ofLabels: taskOf(data.train).labelNumbers(distill), seed },
    seed,
    answers: lessons.answers,
    views: lessons.views,
  });
  fitted.network.dispose();
  return fitted.validation;
}

/** The context with a recipe that names this loss. */
function withLoss<C extends Pick<FitContext, 'recipe'>>(
  context: C,
  { loss, numbers }: Pick<Candidate, 'loss' | 'numbers'>,
): C {
  const rest = Object.fromEntries(Object.entries(context.recipe.distill).filter(([key]) => key !== 'race'));
  const distill = { ...rest, ...lossNumbers(loss), ...numbers, loss } as unknown as Recipe['distill'];
  return { ...context, recipe: { ...context.recipe, distill } };
}

/** The options that the race varies. */
function raced({ temperature, alpha }: Readonly<Record<string, number>>): Record<string, number> {
  return { ...(temperature !== undefined && { temperature }), ...(alpha !== undefined && { alpha }) };
}

function said({ loss, numbers }: Pick<Candidate, 'loss' | 'numbers'>): string {
  return [loss, ...Object.entries(raced(numbers)).map(([name, value]) => `${name} ${value}`)].join(', ');
}

function rounded(epochs: number): string {
  return String(Number(epochs.toFixed(2)));
}
