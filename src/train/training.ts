import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs, SaveTimer } from '../base/clock.ts';
import { InterruptedError } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import type { ModelNetwork, Network } from '../networks/network.ts';
import type { State, StateTensor } from '../runtime/engine.ts';
import { isBetter } from '../tasks/score.ts';
import type { Task } from '../tasks/task.ts';
import { scoreOfTotals } from './evaluate/totals.ts';
import type { Totals } from './evaluate/totals.ts';
import type { StepMetrics, Trainer } from './loop.ts';
import type { Cut } from './memory.ts';
import { SHOW_EVERY_MS } from './progress.ts';
import { isOf, restore, toSafetensors } from './saved-training.ts';
import type { StateOwner, StageStates, Times, TrainingResult } from './saved-training.ts';

export interface TrainingRun extends StateOwner {
  readonly title: string;
  readonly trainer: Trainer;
  readonly task: Pick<Task, 'score' | 'scoreOfSums'>;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Score on the validation split with the current weights. */
  readonly validate: () => Promise<number>;
  /** State names of the weights to ship, and their prefix: empty, or that of the moving average. */
  readonly shipped: { readonly names: readonly string[]; readonly prefix: string; readonly masks?: readonly string[] };
  /** Only epochs that end after this step (from 0) are candidates for the chosen model. */
  readonly chooseFrom?: number | undefined;
  /** Parts of a batch, if it is cut. */
  readonly cut?: Cut | undefined;
  /** Seconds that steps of this process have waited for samples. */
  readonly dataSeconds?: () => number;
  /** Seconds that the teacher has computed in this process; absent unless it is asked at every step. */
  readonly teacherSeconds?: (() => number) | undefined;
  readonly states: StageStates;
  readonly onEvent: OnEvent;
  readonly signal?: AbortSignal | undefined;
  /** Maximum milliseconds between two saves; at the end of an epoch a fifth of it is enough. */
  readonly saveEveryMs: number;
}

/** A trained network. */
export interface Fitted<N extends Network = ModelNetwork> extends TrainingResult {
  readonly network: N;
  /** Zeros and ones by the name of the weight: a weight with mask 0 stays zero in later trainings. */
  readonly masks?: State | undefined;
  /** Weights of the peer at the epoch that was chosen for this network, by the peer's state names. */
  readonly peer?: State | undefined;
  /** Sentences for the report about changes of the weights after the training. */
  readonly notes?: readonly string[];
}

/**
 * Trains to the end, from the saved state if there is one. A training that was killed at any time ends with the same bits as an uninterrupted one:
 * the saved state has all variables, the position, the sums so far and the best weights so far.
 */
export async function train(run: TrainingRun): Promise<TrainingResult> {
  const { trainer, states, onEvent, signal, stage } = run;
  const resumed = await resumedFrom(run);
  onEvent({
    type: 'stage',
    stage,
    title: run.title,
    step: trainer.position.step,
    ...(resumed !== undefined && { resumedAt: `step ${resumed.progress.position.step} of ${run.steps}` }),
  });
  let best = resumed?.best ?? { epoch: 0, validation: -1, weights: new Map() as State };
  let epochs = resumed?.progress.epochs ?? [];
  const started = monotonicMs() - 1000 * (resumed?.progress.seconds ?? 0);
  const { dataSeconds: data = 0, teacherSeconds: teacher = 0 } = resumed?.progress ?? {};
  const times = (): Times => ({
    seconds: (monotonicMs() - started) / 1000,
    dataSeconds: data + (run.dataSeconds?.() ?? 0),
    ...(run.teacherSeconds && { teacherSeconds: teacher + run.teacherSeconds() }),
  });
  const timer = new SaveTimer(run.saveEveryMs);
  let savedStep = resumed?.progress.position.step ?? 0;
  const save = async (): Promise<void> => {
    if (trainer.position.step === savedStep) return;
    const { epoch, validation } = best;
    const progress = { position: trainer.position, best: { epoch, validation }, epochs, ...times(), cut: run.cut };
    await timer.save(async () => states.save(toSafetensors(await trainer.state(), best.weights, progress, run)));
    savedStep = trainer.position.step;
  };
  const isDue = (endsEpoch: boolean): boolean => timer.isDue(endsEpoch ? 1 / 5 : 1);
  const endEpoch = async (epoch: number, totals: Totals): Promise<void> => {
    trainer.settle();
    const since = monotonicMs();
    const validation = await run.validate();
    const validationSeconds = (monotonicMs() - since) / 1000;
    const isWhole = run.chooseFrom === undefined || trainer.position.step > run.chooseFrom;
    const isFirst = best.epoch === 0;
    if (isWhole && (isFirst || isBetter(run.task.score, validation, best.validation)))
      best = { epoch, validation, weights: shippedOf(await trainer.state(), run.shipped) };
    const record = { epoch, loss: totals.loss / totals.weight, score: scoreOfTotals(totals, run.task), validation };
    epochs = [...epochs, record];
    const count = Math.ceil(run.steps / run.stepsPerEpoch);
    const place = { epochs: count, step: trainer.position.step, seconds: times().seconds };
    onEvent({ type: 'epoch', stage, ...record, ...place, validationSeconds });
  };

  const meter = new Meter(run, trainer.position.step);
  for await (const metrics of trainer.run({ signal, save: isDue })) {
    if (metrics.epoch !== undefined) await endEpoch(metrics.position.epoch, metrics.epoch);
    else if (metrics.position.step === run.steps) await endEpoch(metrics.position.epoch + 1, metrics.position.totals);
    // Steps follow each other without a pause: give other tasks of the event loop a turn, such as a reader of metrics.
    if (meter.show(metrics)) await nextTurn();
    // The state belongs to the last step of a call: only that step can be resumed from.
    if (metrics.position.step !== trainer.position.step) continue;
    if (metrics.save) await save();
  }
  await save();
  if (trainer.position.step < run.steps)
    throw new InterruptedError(`stopped ${stage} after step ${trainer.position.step} of ${run.steps}`);
  const { weights, validation, epoch: bestEpoch } = best;
  return { weights, validation, bestEpoch, epochs, ...times(), cut: run.cut };
}

/** Gives the trainer its saved state, if there is one. What the file held is not kept beside it for the whole training. */
async function resumedFrom(run: TrainingRun) {
  const saved = await run.states.load();
  return isOf(saved, run) ? restore(run.trainer, saved) : undefined;
}

class Meter {
  readonly #run: TrainingRun;
  readonly #firstStep: number;
  readonly #start = monotonicMs();
  #samples = 0;
  #shown = 0;
  #shownStep: number;

  constructor(run: TrainingRun, firstStep: number) {
    this.#run = run;
    this.#firstStep = firstStep;
    this.#shownStep = firstStep;
  }

  /** Shows the progress unless it was shown a moment ago; returns true if it did. */
  show({ position, samples, loss, score }: StepMetrics): boolean {
    this.#samples += samples;
    const now = monotonicMs();
    if (now - this.#shown < SHOW_EVERY_MS) return false;
    const secondsPerStep = (now - Math.max(this.#shown, this.#start)) / 1000 / (position.step - this.#shownStep);
    [this.#shown, this.#shownStep] = [now, position.step];
    const { steps, stepsPerEpoch, stage, onEvent, task } = this.#run;
    const elapsed = (now - this.#start) / 1000;
    const { totals } = position;
    onEvent({
      type: 'progress',
      stage,
      done: position.step,
      total: steps,
      epoch: position.step / stepsPerEpoch,
      epochs: Math.ceil(steps / stepsPerEpoch),
      loss: totals.weight > 0 ? totals.loss / totals.weight : loss,
      score: totals.weight > 0 ? scoreOfTotals(totals, task) : score,
      samplesPerSecond: this.#samples / elapsed,
      secondsPerStep,
      secondsLeft: ((steps - position.step) * elapsed) / (position.step - this.#firstStep),
    });
    return true;
  }
}

/** The weights to ship by their names in the model, taken from the model or from the moving average. */
function shippedOf(state: State, { names, prefix, masks = [] }: TrainingRun['shipped']): State {
  const find = (name: string): StateTensor => {
    const value = state.get(name);
    if (value === undefined) throw new Error(`the training does not hold ${name}`);
    return value;
  };
  return new Map([
    ...names.map((name) => [name, find(prefix + name)] as const),
    ...masks.map((name) => [name, find(name)] as const),
  ]);
}
