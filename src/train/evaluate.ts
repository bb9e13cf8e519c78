import type { CompiledStep, Engine } from '../runtime/engine.ts';
import type { StepProgram } from '../trace/program.ts';
import { batchFeeds, fedTo, totalWeight, type TrainingBatch } from './batch.ts';

export interface Evaluation {
  /** Weighted share of the samples that the model has right, 0 … 1. */
  readonly accuracy: number;
  /** Weighted mean cross-entropy. */
  readonly loss: number;
  readonly samples: number;
}

export interface EvaluatorOptions {
  readonly engine: Engine;
  readonly program: (batchSize: number) => StepProgram;
  readonly classes: number;
  /** The training whose weights are evaluated; absent: the variables as they are now. */
  readonly shareStateWith?: CompiledStep;
}

/** Evaluates the same weights again and again; a program per batch size is compiled when it is first needed. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #compiled = new Map<number, CompiledStep>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  async run(batches: AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>): Promise<Evaluation> {
    let [loss, correct, weight, samples, index] = [0, 0, 0, 0, 0];
    for await (const batch of batches) {
      const compiled = await this.#sized(batch.labels.length);
      const feeds = batchFeeds(batch, this.#options.classes, `evaluation, batch ${++index}`);
      const results = await compiled.run(fedTo(compiled, feeds));
      loss += Number(results['loss']![0]);
      correct += Number(results['correct']![0]);
      weight += totalWeight(batch);
      samples += batch.labels.length;
    }
    return { accuracy: correct / weight, loss: loss / weight, samples };
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
