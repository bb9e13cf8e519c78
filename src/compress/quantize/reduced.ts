import { rewrite } from '../../graph/passes/rewrite.ts';
import type { Graph } from '../../graph/types.ts';

/** Reductions of a value over a batch: the extremes of all its numbers, or the mean of each channel (its last axis). */
export type Statistic = 'Min' | 'Max' | 'Mean';

/** Name of the output of `reducedGraph` that holds a statistic. */
export const statisticOf = (statistic: Statistic, value: string): string => `${statistic} of ${value}`;

/** The graph with reductions of computed values as its outputs: ONNX Runtime reduces them faster than they can be copied out of it. */
export function reducedGraph(graph: Graph, asked: ReadonlyMap<string, readonly Statistic[]>): Graph {
  return rewrite({ ...graph, outputs: new Map() }, (node, builder) => {
    if (!node.outputs.some((name) => asked.has(name))) return undefined;
    builder.node(node.op, node.inputs, node.attrs, { layer: node.layer, outputs: node.outputs });
    for (const name of node.outputs) {
      const axes = graph.types.get(name)!.shape.map((_, axis) => axis);
      for (const statistic of asked.get(name) ?? []) {
        const over = statistic === 'Mean' ? axes.slice(0, -1) : axes;
        builder.output(statisticOf(statistic, name), builder.op(statistic, [name], { axes: over, keepDims: false }));
      }
    }
    return node.outputs;
  });
}

/** Means over batches, each weighted with its samples. */
export class BatchMeans {
  readonly #sums = new Map<string, Float64Array>();
  #total = 0;

  /** `means`: of each named value, for `count` samples. */
  add(count: number, means: Iterable<readonly [string, Float32Array]>): void {
    this.#total += count;
    for (const [name, mean] of means) {
      const sum = this.#sums.get(name) ?? new Float64Array(mean.length);
      mean.forEach((value, channel) => (sum[channel]! += value * count));
      this.#sums.set(name, sum);
    }
  }

  result(): Map<string, Float64Array> {
    return new Map([...this.#sums].map(([name, sum]) => [name, sum.map((value) => value / this.#total)]));
  }
}
