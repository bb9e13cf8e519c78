import '@tensorflow/tfjs-backend-cpu';
import type { Quantization, TensorQuantization } from '../../../src/graph/quantization.ts';
import { asymmetric, symmetric } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import type { Values } from './support.ts';
import { reference } from './support.ts';

/** Ranges of every value over some samples, by their minimum and maximum: enough for tests, and for nothing else. */
export function calibrated(graph: Graph, samples: readonly Values[], dtype: 'int8' | 'int16' = 'int8'): Quantization {
  const values = graph.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((name) => graph.types.get(name)!.dtype === 'float32');
  const whole: Graph = { ...graph, outputs: new Map(values.map((name) => [name, name])) };
  const ranges = new Map<string, [number, number]>();
  const see = (name: string, data: Float32Array): void => {
    const [min, max] = ranges.get(name) ?? [Infinity, -Infinity];
    ranges.set(name, [data.reduce((a, b) => Math.min(a, b), min), data.reduce((a, b) => Math.max(a, b), max)]);
  };
  for (const feeds of samples) {
    for (const [name, data] of Object.entries(feeds)) if (data instanceof Float32Array) see(name, data);
    for (const [name, data] of Object.entries(reference(whole, feeds))) see(name, data);
  }
  // A mask of -1e9 behind attention scores would leave nothing of the scores; deep nets that are not trained answer in hundreds.
  const most = dtype === 'int8' ? 100 : 1000;
  const limit = (value: number): number => Math.max(-most, Math.min(most, value));
  const stored = ([min, max]: [number, number]): TensorQuantization =>
    dtype === 'int8' ? asymmetric(limit(min), limit(max), 'int8') : symmetric([limit(Math.max(-min, max))], 'int16');
  return new Map([...ranges].map(([name, range]) => [name, stored(range)]));
}
