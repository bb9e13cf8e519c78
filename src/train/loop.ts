import { orClose } from '../base/closing.ts';
import { shown, UserError } from '../base/errors.ts';
import type { Share } from '../data/batches/share.ts';
import type { TensorData } from '../graph/types.ts';
import type { CompiledStep, State } from '../runtime/engine.ts';
import type { Task } from '../tasks/task.ts';
import { batchFeeds, samplesInBatch, scoredWeight, totalWeight, type TrainingBatch } from './step/batch.ts';
import type { Optimizer } from './optimizers/optimizers.ts';
import { StepsInTurn } from './parallel/in-turn.ts';
import type { PartsOptions } from './parallel/parted.ts';
import type { Schedule } from './optimizers/schedules.ts';
import { WholeSteps } from './step/steps.ts';
import type { Steps, StepsOptions } from './step/steps.ts';
import { addedTotals, isSum, NOTHING, scoreOfTotals, sumsOf } from './evaluate/totals.ts';
import type { Totals } from './evaluate/totals.ts';

export interface TrainerOptions extends StepsOptions {
  /** Options for batches that are cut into parts; absent: each step is one program. */
  readonly parts?: PartsOptions | undefined;
  /**
   * Programs of a second network, which learns from each batch after the first, with the same feeds. Their state includes the variables of both
   * networks.
   */
  readonly peer?: (Pick<StepsOptions, 'program'> & Pick<PartsOptions, 'gradient' | 'update'>) | undefined;
  readonly task: Task;
  readonly stepsPerEpoch: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** The batches of an epoch from `startBatch` on. If processes share each batch, `x` may lack the samples outside of the share. */
  readonly batches: (
    epoch: number,
    startBatch: number,
    share?: Share,
  ) => AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>;
  readonly optimizer: Pick<Optimizer, 'feedValues'>;
  readonly schedule: Schedule;
  /** Values of the loss' scalars at a step. */
  readonly hyper?: (step: number) => Readonly<Record<string, number>>;
  /** Decay of the moving average of the weights; absent for a program without one. */
  readonly emaDecay?: number;
  /** Changes of the state between steps, such as growing masks: the steps before which they happen, and the change. */
  readonly prepare?:
    | {
        readonly changesAt: (step: number) => boolean;
        readonly change: (step: number, compiled: CompiledStep) => Promise<void>;
      }
    | undefined;
}

/** Position of a training: plain JSON that, with the state, suffices to resume. */
export interface Position {
  readonly epoch: number;
  /** The next batch of the epoch. */
  readonly batch: number;
  /** Number of finished steps. */
  readonly step: number;
  /** Totals of the current epoch so far. */
  readonly totals: Totals;
}

export interface StepMetrics {
  /** Position after this step. */
  readonly position: Position;
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Score of the batch before the update. */
  readonly score: number | undefined;
  readonly learningRate: number;
  readonly samples: number;
  /** Totals of the epoch, if this step was its last. */
  readonly epoch?: Totals;
  /** True if the state must be saved after this step. */
  readonly save: boolean;
}

/** Requests of this process: to stop, and to save the state after a step, which may be the last of an epoch. */
export interface LoopOptions {
  readonly signal?: AbortSignal | undefined;
  readonly save?: (endsEpoch: boolean) => boolean;
}

const START: Position = { epoch: 0, batch: 0, step: 0, totals: NOTHING };

/** A training in progress: the compiled steps, the state in them, and the position. It knows neither paths nor clocks. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly steps: Steps;
  #position: Position = START;
  #lastLoss: number | undefined;
  /** Agreement of the processes on saving after the next step; undefined in a process that decides alone. */
  #saves: boolean | undefined;
  #wantsSave: NonNullable<LoopOptions['save']> = () => false;

  private constructor(options: TrainerOptions, steps: Steps) {
    this.#options = options;
    this.steps = steps;
  }

  static async create(options: TrainerOptions): Promise<Trainer> {
    const first = await stepsOf(options);
    if (options.peer === undefined) return new Trainer(options, first);
    const both = await orClose(
      () => stepsOfPair(first, options),
      () => first.dispose(),
    );
    return new Trainer(options, both);
  }

  get position(): Position {
    return this.#position;
  }

  /** Compiled step whose variables other programs share, such as an evaluation during the training. */
  get compiled(): CompiledStep {
    return this.steps.compiled;
  }

  /** The current variables. All processes of a training must call it after the same step. */
  async state(): Promise<State> {
    this.settle();
    return this.compiled.state();
  }

  /** Brings the variables that other programs read up to date. All processes of a training must call it after the same step. */
  settle(): void {
    this.steps.settle?.();
  }

  /** Continues from a saved state. */
  async resume(state: State, position: Position): Promise<void> {
    await this.compiled.load(state);
    this.#position = position;
  }

  /**
   * Takes steps until the training ends or `signal` fires; the current call finishes first. If a call takes several steps, `position` and `state`
   * belong to the last of them, while metrics are yielded for each.
   */
  async *run({ signal, save }: LoopOptions = {}): AsyncGenerator<StepMetrics, void, undefined> {
    const { steps, batches, stepsPerEpoch } = this.#options;
    this.#wantsSave = save ?? (() => false);
    while (this.#position.step < steps) {
      const { epoch, batch } = this.#position;
      const chunk: TrainingBatch[] = [];
      for await (const next of batches(epoch, batch, this.steps.share)) {
        const stop = signal?.aborted === true;
        const endsEpoch = this.#position.batch + 1 === stepsPerEpoch;
        const agreed = this.steps.agreed?.({ stop, save: this.#wantsSave(endsEpoch) });
        if (agreed?.stop ?? stop) return;
        this.#saves = agreed?.save;
        if (chunk.length > 0 && chunk[0]!.targets.length !== next.targets.length) yield* await this.#take(chunk);
        chunk.push(next);
        if (this.#isFull(chunk)) yield* await this.#take(chunk);
        if (this.#position.step >= steps || this.#position.epoch !== epoch) break;
      }
      if (this.#position.epoch === epoch && this.#position.step < steps)
        throw tooFewBatches(this.#position, this.#options);
    }
  }

  /** True if the collected batches must be trained on before another is drawn. */
  #isFull({ length }: readonly TrainingBatch[]): boolean {
    const { steps, stepsPerEpoch, prepare } = this.#options;
    const { batch, step } = this.#position;
    const isLast = batch + length >= stepsPerEpoch || step + length >= steps;
    return isLast || length >= this.steps.perCall || prepare?.changesAt(step + length) === true;
  }

  async dispose(): Promise<void> {
    await this.steps.dispose();
  }

  /** Takes the steps of these batches of equal size, and empties the list. */
  async #take(chunk: TrainingBatch[]): Promise<readonly StepMetrics[]> {
    const batches = chunk.splice(0);
    const { step } = this.#position;
    const { prepare } = this.#options;
    if (prepare?.changesAt(step) === true) {
      this.settle();
      await prepare.change(step, this.compiled);
    }
    const fedBatches = batches.map((batch, i) => ({ batch, feeds: this.#feeds(batch, i) }));
    const results = await this.steps.take(fedBatches, step);
    return batches.map((batch, i) => this.#done(batch, results[i]!));
  }

  /** Feeds of the step `ahead` steps after the current one. */
  #feeds(batch: TrainingBatch, ahead: number): Record<string, TensorData> {
    const { schedule, optimizer, task } = this.#options;
    const step = this.#position.step + ahead;
    return {
      ...batchFeeds(batch, task, this.#where(ahead)),
      ...optimizer.feedValues(step, schedule(step)),
      ...this.#scalars(step),
    };
  }

  #where(ahead: number): string {
    return `epoch ${this.#position.epoch + 1}, batch ${this.#position.batch + ahead + 1}`;
  }

  #done(batch: TrainingBatch, results: Readonly<Record<string, number>>): StepMetrics {
    const { step } = this.#position;
    const { task, schedule } = this.#options;
    const { loss = NaN, ...rest } = results;
    if (!Number.isFinite(loss)) throw diverged(this.#where(0), step, loss, this.#lastLoss);
    this.#lastLoss = loss;
    const [weight, samples] = [totalWeight(batch, task), samplesInBatch(batch, task)];
    const scored = batch.known && scoredWeight(batch, task);
    const ownTotals: Totals = { loss: loss * weight, sums: sumsOf(rest), weight, scored, samples };
    const ended = this.#advance(ownTotals);
    const parts = Object.entries(rest).filter(([name]) => !isSum(name));
    return {
      position: this.#position,
      loss,
      parts: Object.fromEntries(parts.map(([name, value]) => [name.replace(/^loss\//, ''), value])),
      score: scoreOfTotals(ownTotals, task),
      learningRate: schedule(step),
      samples,
      ...(ended === undefined ? {} : { epoch: ended }),
      save: this.#saves ?? this.#wantsSave(ended !== undefined),
    };
  }

  /** Advances the position by a step; returns the totals of the epoch after its last step. */
  #advance(step: Totals): Totals | undefined {
    const { epoch, batch, step: done, totals: before } = this.#position;
    const totals = addedTotals(before, step);
    const ends = batch + 1 === this.#options.stepsPerEpoch;
    this.#position = ends
      ? { epoch: epoch + 1, batch: 0, step: done + 1, totals: NOTHING }
      : { epoch, batch: batch + 1, step: done + 1, totals };
    return ends ? totals : undefined;
  }

  #scalars(step: number): Record<string, Float32Array> {
    const { hyper, emaDecay } = this.#options;
    const entries = Object.entries(hyper?.(step) ?? {}).map(([name, value]): [string, Float32Array] => [
      `hyper/${name}`,
      Float32Array.of(value),
    ]);
    const feeds = Object.fromEntries(entries);
    // The average follows faster in early steps, as in TensorFlow's ExponentialMovingAverage(num_updates).
    if (emaDecay !== undefined) feeds['emaDecay'] = Float32Array.of(Math.min(emaDecay, (1 + step) / (10 + step)));
    return feeds;
  }
}

async function stepsOf(options: TrainerOptions): Promise<Steps> {
  const { parts } = options;
  if (parts === undefined) return WholeSteps.create(options);
  const { PartedSteps } = await import('./parallel/parted.ts');
  return PartedSteps.create({ ...options, parts });
}

async function stepsOfPair(first: Steps, { peer, parts, randomKey, ...rest }: TrainerOptions): Promise<Steps> {
  const { program, gradient, update } = peer!;
  const second = await stepsOf({
    ...rest,
    program,
    parts: parts && { ...parts, gradient, update },
    // The peer draws its own random masks.
    ...(randomKey && { randomKey: [...randomKey, 'peer'] }),
    shareStateWith: first.compiled,
  });
  return new StepsInTurn(first, second);
}

function diverged(where: string, step: number, loss: number, last: number | undefined): UserError {
  const before = last === undefined ? 'it was the first step' : `the last finite loss was ${last.toPrecision(4)}`;
  return new UserError(
    `${where} (step ${step + 1}): the loss is ${String(loss)}; ${before}`,
    last === undefined
      ? 'Look for NaN or huge values in the data or in the answers of the teacher.'
      : 'Lower optimizer.learningRate, give it a warmup, or set optimizer.clipNorm to 1.',
  );
}

function tooFewBatches({ epoch, batch }: Position, { stepsPerEpoch }: TrainerOptions): Error {
  return new Error(`epoch ${epoch + 1} ended after ${shown(batch)} of ${stepsPerEpoch} batches`);
}
