import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../base/random.ts';
import type { CompiledStep, Engine, State } from '../../../runtime/engine.ts';
import { createOptimizer } from '../../../train/optimizers.ts';
import { asShaped } from '../by-sample.ts';
import type { Block } from './blocks.ts';
import { errorProgram, searchProgram, V } from './program.ts';
import { decided, nearestSteps, startOf, weightsOf } from './soft.ts';

/** Samples of a step, as in the paper. */
export const BATCH = 32;
const LEARNING_RATE = 0.01;
/** Share of the search before weights are drawn to their ends, and how sharply they are from then on. */
const FREE = 0.2;
const [FIRST_BETA, LAST_BETA] = [20, 2];
/** Weight of the term for undecided roundings, beside an error that is 1 where all weights are rounded to nearest. */
const LAMBDA = 10;

export interface Search {
  readonly engine: Engine;
  readonly iterations: number;
  /** Samples; `x` and `y` are one sample after another. */
  readonly count: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly key: readonly (string | number)[];
  readonly from?: { readonly iteration: number; readonly variables: State } | undefined;
  readonly onStep: (iteration: number, variables: () => Promise<State>) => Promise<void>;
}

export interface Found {
  readonly steps: Int8Array;
  readonly errors: { readonly nearest: number; readonly adaptive: number; readonly moved: number };
}

/** Steps of a layer's weights that reconstruct its output best. */
export async function searchRounding(block: Block, search: Search): Promise<Found> {
  const shape = block.type.shape as number[];
  const nearest = nearestSteps(block.values, shape, block.scales);
  const measure = measureWith(block, search);
  try {
    const before = await measure.of(nearest);
    const steps = before === 0 ? nearest : await searched(block, search, before);
    const after = await measure.of(steps);
    if (!(after < before)) return { steps: nearest, errors: { nearest: before, adaptive: before, moved: 0 } };
    const moved = steps.reduce((sum, value, i) => sum + (value === nearest[i] ? 0 : 1), 0) / steps.length;
    return { steps, errors: { nearest: before, adaptive: after, moved } };
  } finally {
    await measure.dispose();
  }
}

async function searched(block: Block, search: Search, nearestError: number): Promise<Int8Array> {
  const { engine, iterations, count, from } = search;
  const shape = block.type.shape as number[];
  const { floor, v: start } = startOf(block.values, shape, block.scales);
  const v = tf.variable(tf.tensor(start, shape));
  const optimizer = createOptimizer({ type: 'adam' }, { [V]: v });
  const batchSize = Math.min(BATCH, count);
  const step = await engine.compile(searchProgram(block, floor, { v, optimizer, batchSize }));
  try {
    if (from !== undefined && from.variables.size > 0) await step.load(from.variables);
    for (let i = from?.iteration ?? 0; i < iterations; i++) {
      await step.run({
        ...batchOf(block, search, i, batchSize),
        ...{ gain: Float32Array.of(1 / nearestError), ...pressureAt(i / iterations) },
        ...optimizer.feedValues(i, LEARNING_RATE),
      });
      await search.onStep(i + 1, () => step.state());
    }
    return decided(floor, (await step.state()).get(V)!.data as Float32Array);
  } finally {
    await step.dispose();
    for (const variable of [v, ...Object.values(optimizer.slots)]) variable.dispose();
  }
}

/** β falls linearly once weights are drawn to their ends. */
function pressureAt(share: number): { lambda: Float32Array; beta: Float32Array } {
  const drawn = Math.max(0, (share - FREE) / (1 - FREE));
  const beta = FIRST_BETA + (LAST_BETA - FIRST_BETA) * drawn;
  return { lambda: Float32Array.of(share < FREE ? 0 : LAMBDA), beta: Float32Array.of(beta) };
}

/** The samples of a step: all of them once, in an order of its own, before any comes again. */
function batchOf(block: Block, { x, y, count, key }: Search, iteration: number, batchSize: number) {
  const perPass = Math.floor(count / batchSize);
  const order = new RandomStream(...key, Math.floor(iteration / perPass)).permutation(count);
  const at = (iteration % perPass) * batchSize;
  const rows = order.subarray(at, at + batchSize);
  return endsOf(block, { x, y, count }, rows);
}

/** Inputs and outputs of a layer for some samples, in the layout of its graph: the batch may be any axis. */
function endsOf(
  { graph, input, output }: Block,
  { x, y, count }: Pick<Search, 'x' | 'y' | 'count'>,
  rows: Uint32Array,
) {
  const of = (values: Float32Array, name: string): Float32Array =>
    asShaped(rowsOf(values, count, rows), graph.types.get(name)!.shape, rows.length);
  return { x: of(x, input), y: of(y, output) };
}

function rowsOf(values: Float32Array, count: number, rows: Uint32Array): Float32Array {
  const each = values.length / count;
  const taken = new Float32Array(rows.length * each);
  rows.forEach((row, i) => taken.set(values.subarray(row * each, (row + 1) * each), i * each));
  return taken;
}

/** The mean squared error of the output over all samples, for any steps. */
function measureWith(block: Block, { engine, x, y, count }: Search) {
  const shape = block.type.shape as number[];
  const weights = tf.variable(tf.zeros(shape));
  const compiled = new Map<number, CompiledStep>();
  const stepOf = async (size: number): Promise<CompiledStep> => {
    const known = compiled.get(size) ?? (await engine.compile(errorProgram(block, weights, size)));
    compiled.set(size, known);
    return known;
  };
  const of = async (steps: Int8Array): Promise<number> => {
    const data = weightsOf(steps, shape, block.scales);
    let sum = 0;
    for (let at = 0; at < count; at += BATCH) {
      const rows = Uint32Array.from({ length: Math.min(BATCH, count - at) }, (_, i) => at + i);
      const step = await stepOf(rows.length);
      await step.load(new Map([['weights', { type: block.type, data }]]));
      const { error } = await step.run(endsOf(block, { x, y, count }, rows));
      sum += rows.length * (error as Float32Array)[0]!;
    }
    return sum / count;
  };
  const dispose = async (): Promise<void> => {
    for (const step of compiled.values()) await step.dispose();
    weights.dispose();
  };
  return { of, dispose };
}
