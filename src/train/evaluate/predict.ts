import type { Network } from '../../networks/network.ts';
import type { CompiledStep, Engine, State } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { InputPart } from '../../data/dataset.ts';
import { fedTo, inputFeedsOf } from '../step/batch.ts';
import { partSizes } from '../parallel/cut.ts';
import { predictionProgram } from './inference.ts';

/** Maximum estimated bytes of a program that evaluates or predicts. A constant, because the free memory differs from run to run. */
export const INFERENCE_BYTES = 2 ** 30;

export interface Predicting {
  readonly network: Network;
  readonly weights: State;
  /** Layers whose values are returned too. */
  readonly features?: readonly string[];
}

export interface PredictedSamples {
  /** [n, ...] */
  readonly x: Float32Array;
  readonly n: number;
  /** Slices of `x` for each input of a model with several inputs. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** Bytes. */
  readonly most?: number;
}

/**
 * Outputs and named layers of a network for `n` samples, by name. All samples are computed at once if that takes at most `most` bytes, else in
 * batches of a half, a quarter, and so on.
 */
export async function predictions(
  engine: Engine,
  { network, weights, features = [] }: Predicting,
  { x, n, inputs, most = INFERENCE_BYTES }: PredictedSamples,
): Promise<Record<string, Float32Array>> {
  const program = (batchSize: number): StepProgram => predictionProgram({ network, batchSize, features });
  const steps = new Map<number, CompiledStep>();
  const sized = async (size: number): Promise<CompiledStep> => {
    const step = steps.get(size) ?? (await engine.compile(program(size)));
    if (!steps.has(size)) await step.load(weights);
    steps.set(size, step);
    return step;
  };
  try {
    const size = await sizeWithin(n, most, sized, (large) => steps.delete(large));
    const results: Record<string, Float32Array> = {};
    let done = 0;
    for (const part of partSizes(n, size)) {
      const width = x.length / n;
      const step = await sized(part);
      const feeds = inputFeedsOf(x.subarray(width * done, width * (done + part)), part, inputs);
      for (const [name, data] of Object.entries(await step.run(fedTo(step, feeds)))) {
        const values = data as Float32Array;
        const each = values.length / part;
        results[name] ??= new (values.constructor as Float32ArrayConstructor)(each * n);
        results[name].set(values, each * done);
      }
      done += part;
    }
    return results;
  } finally {
    for (const step of steps.values()) await step.dispose();
  }
}

/** Largest of `size`, its half, its quarter, … whose program takes at most `most` bytes. Larger programs are disposed of. */
export async function sizeWithin(
  size: number,
  most: number,
  sized: (size: number) => Promise<CompiledStep>,
  forget: (size: number) => void,
): Promise<number> {
  for (; ; size = Math.ceil(size / 2)) {
    const step = await sized(size);
    if (size === 1 || (step.memoryBytes ?? 0) <= most) return size;
    await step.dispose();
    forget(size);
  }
}
