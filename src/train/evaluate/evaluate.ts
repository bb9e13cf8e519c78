import { UserError } from '../../base/errors.ts';
import type { CompiledStep, Engine } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import { oneByOne } from '../turns.ts';
import type { Turns } from '../turns.ts';
import { INFERENCE_BYTES, sizeWithin } from './predict.ts';
import type { Task } from '../../tasks/task.ts';
import { batchFeeds, fedTo, samplesInBatch, totalWeight, type TrainingBatch } from '../step/batch.ts';
import { scalars } from '../step/steps.ts';
import { addedTotals, NOTHING, scoreOfTotals, sumsOf } from './totals.ts';
import type { Totals } from './totals.ts';

export interface Evaluation {
  /** Weighted score of the task over all samples. */
  readonly score: number;
  /** Weighted mean of the label loss. */
  readonly loss: number;
  readonly samples: number;
}

export interface EvaluatorOptions {
  readonly engine: Engine;
  readonly program: (batchSize: number) => StepProgram;
  readonly task: Task;
  /** Training whose current weights are evaluated. Default: the initial variables of the program. */
  readonly shareStateWith?: CompiledStep;
}

/** The batches of a split, in any order. */
export interface Batches {
  readonly count: number;
  /** Samples of each batch; the last may have fewer. */
  readonly size: number;
  readonly batch: (index: number) => TrainingBatch;
}

/** Evaluates the same weights any number of times. The program for a batch size is compiled when it is first needed. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #compiled = new Map<number, CompiledStep>();
  #atOnce: number | undefined;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** `turns`: turns at the batches. */
  async run({ count, size, batch }: Batches, turns: Turns = oneByOne): Promise<Evaluation> {
    const { task } = this.#options;
    const { collects } = task;
    const names = [...(await this.#sized(size)).outputs.keys()].filter((name) => name !== 'logits');
    const width = names.length + 2 + size * (collects?.width ?? 0);
    const all = await turns.inTurns({ count, width }, async (item) => {
      const itemBatch = batch(item);
      const samples = samplesInBatch(itemBatch, task);
      const compiled = await this.#sized(samples);
      const feeds = batchFeeds(itemBatch, task, `evaluation, batch ${item + 1}`);
      const { logits, ...rest } = await compiled.run(fedTo(compiled, feeds));
      const results = scalars(rest);
      const numbers = [...names.map((name) => results[name]!), totalWeight(itemBatch, task), samples];
      const row = new Float32Array(width);
      row.set(numbers);
      if (collects !== undefined) row.set(collects.of(logits as Float32Array, itemBatch.targets), numbers.length);
      return row;
    });
    let totals = NOTHING;
    const collected: Float32Array[] = [];
    for (let item = 0; item < count; item++) {
      const numbers = all.subarray(item * width, (item + 1) * width);
      const [weight, samples] = numbers.subarray(names.length) as unknown as [number, number];
      const from = names.length + 2;
      if (collects !== undefined) collected.push(numbers.subarray(from, from + samples * collects.width));
      const { loss, ...rest } = Object.fromEntries(names.map((name, i) => [name, numbers[i]!]));
      totals = addedTotals(totals, { loss: loss!, sums: sumsOf(rest), weight, samples });
    }
    if (!Number.isFinite(totals.loss)) throw notFinite(totals);
    const score = collects === undefined ? scoreOfTotals(totals, task)! : collects.scoreOf(joined(collected));
    return { score, loss: totals.loss / totals.weight, samples: totals.samples };
  }

  /** Number of samples at once: `most`, or fewer if their program would take more than a gigabyte. */
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

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Error for weights that the last step made infinite: the argmax of NaN outputs is class 0, so the score would look valid. */
function notFinite({ loss, samples }: Totals): UserError {
  return new UserError(
    `the loss of the model on ${samples} samples of the validation split is ${loss}, expected a finite number`,
    'Lower optimizer.learningRate, give it a warmup, or set optimizer.clipNorm to 1; a model from a file may hold NaN.',
  );
}
