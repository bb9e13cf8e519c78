import { UserError } from '../../base/errors.ts';
import { inTurns } from '../../runtime/collectives/collectives.ts';
import type { Collectives } from '../../runtime/collectives/collectives.ts';
import type { CompiledStep, Engine } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import { INFERENCE_BYTES, sizeWithin } from './predict.ts';
import type { Task } from '../../tasks/task.ts';
import { batchFeeds, fedTo, samplesInBatch, totalWeight, type TrainingBatch } from '../step/batch.ts';
import { scalars } from '../step/steps.ts';
import { addedTotals, NOTHING, scoreOfTotals, sumsOf } from './totals.ts';
import type { Totals } from './totals.ts';

export interface Evaluation {
  /** Score of the task over all samples by their weight. */
  readonly score: number;
  /** Weighted mean of the loss with the labels. */
  readonly loss: number;
  readonly samples: number;
}

export interface EvaluatorOptions {
  readonly engine: Engine;
  readonly program: (batchSize: number) => StepProgram;
  readonly task: Task;
  /** The training whose weights are evaluated; absent: the variables as they are now. */
  readonly shareStateWith?: CompiledStep;
}

/** The batches of a split, any of which can be asked for. */
export interface Batches {
  readonly count: number;
  /** Samples of each but the last, which may have fewer. */
  readonly size: number;
  readonly batch: (index: number) => TrainingBatch;
}

/** Evaluation of the same weights, any number of times; a program for each batch size is compiled when it is first needed. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #compiled = new Map<number, CompiledStep>();
  #atOnce: number | undefined;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** `together`: processes that take turns at the batches. */
  async run({ count, size, batch }: Batches, together?: Collectives): Promise<Evaluation> {
    const { task } = this.#options;
    const names = [...(await this.#sized(size)).outputs.keys()];
    const width = names.length + 2;
    const all = await inTurns(together, { count, width }, async (item) => {
      const given = batch(item);
      const samples = samplesInBatch(given, task);
      const compiled = await this.#sized(samples);
      const feeds = batchFeeds(given, task, `evaluation, batch ${item + 1}`);
      const results = scalars(await compiled.run(fedTo(compiled, feeds)));
      return Float32Array.from([...names.map((name) => results[name]!), totalWeight(given, task), samples]);
    });
    let totals = NOTHING;
    for (let item = 0; item < count; item++) {
      const numbers = all.subarray(item * width, (item + 1) * width);
      const [weight, samples] = numbers.subarray(names.length) as unknown as [number, number];
      const { loss, ...rest } = Object.fromEntries(names.map((name, i) => [name, numbers[i]!]));
      totals = addedTotals(totals, { loss: loss!, sums: sumsOf(rest), weight, samples });
    }
    if (!Number.isFinite(totals.loss)) throw notFinite(totals);
    return { score: scoreOfTotals(totals, task), loss: totals.loss / totals.weight, samples: totals.samples };
  }

  /** Number of samples at once: `most`, or fewer where those would take more than a gigabyte. */
  async atOnce(most: number): Promise<number> {
    return (this.#atOnce ??= await sizeWithin(
      most,
      INFERENCE_BYTES,
      (size) => this.#sized(size),
      (size) => this.#compiled.delete(size),
    ));
  }

  async dispose(): Promise<void> {
    for (const step of this.#compiled.values()) await step.dispose();
    this.#compiled.clear();
  }

  async #sized(size: number): Promise<CompiledStep> {
    let compiled = this.#compiled.get(size);
    if (compiled === undefined) {
      const { engine, program, shareStateWith } = this.#options;
      const first = shareStateWith ?? this.#compiled.values().next().value;
      compiled = await engine.compile(program(size), first === undefined ? {} : { shareStateWith: first });
      this.#compiled.set(size, compiled);
    }
    return compiled;
  }
}

/** Weights that the last step has made infinite: of NaN the largest of several answers is the first, which looks like a score. */
function notFinite({ loss, samples }: Totals): UserError {
  return new UserError(
    `the loss of the model on ${samples} samples of the validation split is ${loss}, expected a finite number`,
    'Lower optimizer.learningRate, give it a warmup, or set optimizer.clipNorm to 1; a model from a file may hold NaN.',
  );
}
