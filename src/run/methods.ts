import { Slot } from '../base/registry.ts';
import type { Shard } from '../base/shard.ts';
import type { KeyedStore } from '../distill/answers/soft-targets.ts';
import type { ModelNetwork } from '../networks/network.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Race } from '../report/types.ts';
import type { TrainedModel } from '../ship/export.ts';
import type { Fitted } from '../train/training.ts';
import type { FitContext, StageContext } from './context.ts';
import { methods } from './method-registry.ts';
import type { RunOptions } from './options.ts';
import type { SharedRounds } from './shards/rounds.ts';
import type { Answers } from './stages/teacher/answer.ts';
import type { Teaching } from './stages/teacher/given-teacher.ts';

/** Networks between teacher and student, each trained by the one before. Returns the last as the student's teacher, and notes for the report. */
export type TrainAssistants = (
  context: FitContext,
  teaching: Teaching,
  kept: KeyedStore,
) => Promise<{ readonly teaching: Teaching; readonly notes: readonly string[] }>;

/** Students that teach their successors. */
export interface Generations {
  /** Trains all generations but the last, and returns the answers that the last learns from. */
  readonly earlier: (context: FitContext, repeat: number, lessons: Answers, kept: KeyedStore) => Promise<Answers>;
  /** Notes for the report. */
  readonly notes: (context: Pick<StageContext, 'recipe'>) => string[];
}

/** Two students that teach each other. */
export interface Mutual {
  /** Builds and checks the peer of a student. `UserError` for a peer that cannot learn from the student's samples, or that equals the student. */
  readonly check: (context: Pick<StageContext, 'recipe' | 'data'>, student: ModelNetwork) => Promise<ModelNetwork>;
  readonly train: (context: FitContext, repeat: number) => Promise<TrainedModel>;
  /** Notes for the report. */
  readonly notes: (context: Pick<StageContext, 'recipe' | 'data'>, students: readonly TrainedModel[]) => string[];
}

/** The context with the loss that won, the race for the report, and notes. */
export interface Raced<C> {
  readonly context: C;
  readonly race?: Race;
  readonly notes: readonly string[];
}

/**
 * A race of losses, which chooses the loss of the student by short trainings. `take` copies the states of a stage that a shard has trained into the
 * run, if they exist; `result`: file of the shard's result in the folder of the race's jobs.
 */
export type RaceLosses = <C extends FitContext>(
  context: C,
  lessons: Answers | undefined,
  take: (stage: string, result: string) => Promise<boolean>,
) => Promise<Raced<C>>;

/** Trains a shard's candidates of a race. */
export type RaceShard = (given: LoadedRecipe, shard: Shard, options: RunOptions) => Promise<SharedRounds>;

/** Classes whose samples the student does not see. */
export interface LeaveOut {
  /** `UserError` for classes and samples that do not fit, and for a student whose bias cannot be corrected. */
  readonly check: (
    recipe: Pick<Recipe, 'distill'>,
    data: Pick<StageContext['data'], 'classNames' | 'train'>,
    student: Pick<ModelNetwork, 'state' | 'name'>,
  ) => void;
  /** The context with a training split without these classes. */
  readonly transferSet: <C extends Pick<StageContext, 'recipe' | 'data'>>(context: C) => C;
  /** Notes for the report; takes the context from `transferSet`. */
  readonly notes: (context: Pick<StageContext, 'recipe' | 'data'>) => string[];
  /** The student with the corrected bias of these classes, if the recipe asks for it. */
  readonly corrected: (
    context: Pick<StageContext, 'recipe' | 'data' | 'engine' | 'processes' | 'onEvent' | 'done'>,
    fitted: Fitted,
    stage: string,
  ) => Promise<Fitted>;
}

/** Slots of methods. */
export interface MethodSlots {
  readonly assistants: TrainAssistants;
  readonly generations: Generations;
  readonly leaveOut: LeaveOut;
  readonly mutualLearning: Mutual;
  readonly race: RaceLosses;
  readonly raceShard: RaceShard;
}

const ASSISTANTS = new Slot<TrainAssistants>(methods, 'assistants', 'training');
const GENERATIONS = new Slot<Generations>(methods, 'generations', 'training');
const MUTUAL = new Slot<Mutual>(methods, 'mutualLearning', 'training');
const RACE = new Slot<RaceLosses>(methods, 'race', 'race');
const RACE_SHARD = new Slot<RaceShard>(methods, 'raceShard', 'race of shards');
const LEAVE_OUT = new Slot<LeaveOut>(methods, 'leaveOut', 'transfer set');

/** The last assistant as the student's teacher; the teacher itself without assistants. */
export const withAssistants: TrainAssistants = async (context, teaching, kept) =>
  context.recipe.teacher?.chain === undefined
    ? { teaching, notes: [] }
    : (await ASSISTANTS.load('assistants'))(context, teaching, kept);

/** The method of a recipe with more than one generation; undefined for another recipe. */
export async function generationsOf({ distill }: Pick<Recipe, 'distill'>): Promise<Generations | undefined> {
  return (distill.generations ?? 1) === 1 ? undefined : GENERATIONS.load('generations');
}

/** The method of a recipe whose loss needs a peer. */
export function mutualMethod(): Promise<Mutual> {
  return MUTUAL.load('mutual');
}

/** The race of a recipe with `distill.loss: auto`; the context unchanged for a recipe that names a loss. */
export const raceLosses: RaceLosses = async (context, ...args) =>
  context.recipe.distill.loss === 'auto' ? (await RACE.load('race'))(context, ...args) : { context, notes: [] };

/** A shard's candidates of the race of a recipe with `distill.loss: auto`. */
export const trainRaceShard: RaceShard = async (...args) => (await RACE_SHARD.load('race'))(...args);

/** The method of a recipe that leaves classes out; undefined for another recipe. */
export async function leaveOutOf({ distill }: Pick<Recipe, 'distill'>): Promise<LeaveOut | undefined> {
  return distill.leaveOut === undefined ? undefined : LEAVE_OUT.load('leave-out');
}
