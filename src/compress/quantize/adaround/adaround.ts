import type { Engine, State } from '../../../runtime/engine.ts';
import type { SessionOptions } from '../../../runtime/session.ts';
import type { Quantization } from '../../../graph/quantization.ts';
import { sizeOf } from '../../../graph/shapes.ts';
import type { Graph } from '../../../graph/types.ts';
import type { Samples } from '../observe.ts';
import { floatValues, quantizedValues } from '../layer-values.ts';
import { withConstants } from '../rounding.ts';
import { blocksOf } from './blocks.ts';
import type { Block } from './blocks.ts';
import { BATCH, searchRounding } from './search.ts';
import { weightsOf } from './soft.ts';

export interface AdaRoundOptions {
  readonly engine: Engine;
  readonly session: SessionOptions;
  /** Steps of the search, for each layer. */
  readonly iterations: number;
  /** Seed of the order of the samples. */
  readonly seed: number;
  /** Layers that stay in float. */
  readonly keepFloat?: (layer: string) => boolean;
  /** State of an earlier call that was stopped. */
  readonly resume?: AdaRoundState | undefined;
  /** Called after each step; what it throws ends the search. */
  readonly onStep?: (at: AdaRoundProgress) => Promise<void>;
}

/** Error that the rounding of a layer's weights causes in its output, to the nearest step and as found here: mean squared errors. */
export interface LayerRounding {
  readonly layer: string;
  readonly nearest: number;
  readonly adaptive: number;
  /** Share of the weights that do not go to the nearest step. */
  readonly moved: number;
}

/** Enough to go on from: another call with the same graph and samples ends with the same bits. */
export interface AdaRoundState {
  /** Layers that are done, and the steps of their weights by the name of the weights. */
  readonly layers: readonly LayerRounding[];
  readonly steps: ReadonlyMap<string, Int8Array>;
  /** Steps made and variables of the layer that is being searched. */
  readonly iteration: number;
  readonly variables: State;
}

interface AdaRoundProgress {
  readonly layer: string;
  /** Layers done and in all. */
  readonly done: number;
  readonly layers: number;
  readonly iteration: number;
  readonly last: LayerRounding | undefined;
  readonly state: () => Promise<AdaRoundState>;
}

/**
 * Adaptive rounding (Nagel et al. 2020, "Up or down? Adaptive rounding for post-training quantization"): layer by layer, in
 * the order in which they are computed, each weight goes to the step above or below so that the layer's output, behind its
 * activation, comes closest to that of the float model, given what the int8 model, rounded so far, feeds it. A layer keeps
 * the nearest steps where the search did no better. The result is `graph` with weights that lie on the steps of
 * `quantization`: what is written as int8 are the very steps that were found.
 */
export async function adaround(
  graph: Graph,
  quantization: Quantization,
  samples: Samples,
  options: AdaRoundOptions,
): Promise<{ result: Graph; layers: readonly LayerRounding[] }> {
  const { session, resume, keepFloat = () => false } = options;
  const blocks = blocksOf(graph, quantization, keepFloat);
  const steps = new Map(resume?.steps);
  const layers = [...(resume?.layers ?? [])];
  let all = 0;
  for (const feeds of samples) all += Object.values(feeds)[0]!.shape[0]!;
  const roundedGraph = (): Graph => {
    const known = blocks.filter(({ weights }) => steps.has(weights));
    const constants = known.map(({ weights, type, scales }) => {
      return [weights, weightsOf(steps.get(weights)!, type.shape as number[], scales)] as const;
    });
    return withConstants(graph, new Map(constants));
  };
  for (const [number, block] of blocks.entries()) {
    if (steps.has(block.weights)) continue;
    const isResumed = number === resume?.steps.size;
    const count = Math.min(all, samplesWithin(graph, block));
    const found = await searchRounding(block, {
      ...{ engine: options.engine, iterations: options.iterations, count, key: [options.seed, 'adaround', number] },
      x: await quantizedValues(roundedGraph(), quantization, block.input, samples, count, { session, keepFloat }),
      y: await floatValues(graph, block.output, samples, count, session),
      from: isResumed ? { iteration: resume.iteration, variables: resume.variables } : undefined,
      onStep: async (iteration, variables) =>
        options.onStep?.({
          ...{ layer: block.layer, done: number, layers: blocks.length, iteration, last: layers.at(-1) },
          state: async () => ({ layers: [...layers], steps: new Map(steps), iteration, variables: await variables() }),
        }),
    });
    steps.set(block.weights, found.steps);
    layers.push({ layer: block.layer, ...found.errors });
    await options.onStep?.({
      ...{ layer: block.layer, done: number + 1, layers: blocks.length, iteration: 0, last: layers.at(-1) },
      state: () =>
        Promise.resolve({ layers: [...layers], steps: new Map(steps), iteration: 0, variables: new Map() as State }),
    });
  }
  return { result: roundedGraph(), layers };
}

/** Most bytes that inputs and outputs of a layer may take, over all samples of its search: a gigabyte. */
const MOST_BYTES = 2 ** 30;

/**
 * Number of samples whose inputs and outputs of a layer fit into `MOST_BYTES`, at least one batch. With large pictures fewer samples are
 * enough, since each position of a picture counts as one. The number follows from the graph alone, so every machine finds the same
 * rounding.
 */
export function samplesWithin({ types }: Graph, { input, output }: Pick<Block, 'input' | 'output'>): number {
  const each = 4 * (sizeOf(types.get(input)!.shape).factor + sizeOf(types.get(output)!.shape).factor);
  return Math.max(BATCH, Math.floor(MOST_BYTES / each));
}
