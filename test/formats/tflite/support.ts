import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import type { TfliteOptions } from '../../../src/formats/tflite/export.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { builtinOperators } from '../../../src/formats/tflite/schema/operators.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { withBatch } from '../../../src/graph/shapes.ts';
import type { AttrValue, Graph, Shape, TensorData, TensorType } from '../../../src/graph/types.ts';
import { interpret, tfTensorOf } from '../../../src/trace/interpret/interpret.ts';
import type { TfliteRuntime } from '../../../src/runtime/litert.ts';
import { openTflite } from '../../../src/runtime/litert.ts';

export type Values = Record<string, TensorData>;

// tfjs otherwise advertises its native backend at the first tensor.
tf.env().set('IS_TEST', true);

/** Numbers from a normal distribution (float32), or integers from 0 to 4. */
function random({ dtype, shape }: TensorType, key: string | number, batch = 1): TensorData {
  const stream = new RandomStream('tflite', key);
  const length = withBatch(shape, batch).reduce((a, b) => a * b, 1);
  if (dtype === 'float32') return Float32Array.from({ length }, () => stream.normal());
  if (dtype === 'bool' || dtype === 'uint8') return Uint8Array.from({ length }, () => stream.below(2));
  return Int32Array.from({ length }, () => stream.below(5));
}

export function floats(...shape: (number | 'batch')[]): TensorType {
  return { dtype: 'float32', shape };
}

export function ints(...shape: (number | 'batch')[]): TensorType {
  return { dtype: 'int32', shape };
}

/** A builder that also draws constants. */
export class Sketch extends GraphBuilder {
  #drawn = 0;

  weights(shape: readonly number[], name?: string, scale = 1): string {
    const type: TensorType = { dtype: 'float32', shape };
    const data = (random(type, `weights ${this.#drawn++}`) as Float32Array).map((value) => value * scale);
    return this.constant(type, data, name);
  }

  /** Values above 0, for variances and divisors. */
  positive(shape: readonly number[], name?: string): string {
    const type: TensorType = { dtype: 'float32', shape };
    const data = (random(type, `weights ${this.#drawn++}`) as Float32Array).map((value) => Math.abs(value) + 0.5);
    return this.constant(type, data, name);
  }
}

export function sketch(build: (g: Sketch) => string | readonly string[]): Graph {
  const g = new Sketch();
  [build(g)].flat().forEach((value, i) => g.output(`y${i}`, value));
  return g.build();
}

/** Values for every input; whole numbers where the graph casts them first, as token ids are. */
export function randomFeeds(graph: Graph, key = 0, batch = 1): Values {
  const isCast = new Set(graph.nodes.flatMap(({ op, inputs }) => (op === 'Cast' ? inputs : [])));
  return Object.fromEntries(
    [...graph.inputs].map(([name, type], i) => {
      const drawn = isCast.has(name)
        ? Float32Array.from(random({ ...type, dtype: 'int32' }, `${key} ${i}`, batch) as Int32Array)
        : random(type, `${key} ${i}`, batch);
      return [name, drawn];
    }),
  );
}

function withFixedBatch(graph: Graph, batch: number): Graph {
  const fixed = (value: AttrValue): AttrValue => (Array.isArray(value) ? withBatch(value as Shape, batch) : value);
  const nodes = graph.nodes.map((node) => ({
    ...node,
    attrs: Object.fromEntries(Object.entries(node.attrs).map(([name, value]) => [name, fixed(value)])),
  }));
  return { ...graph, nodes };
}

/** What tfjs' own kernels make of the graph. */
export function reference(graph: Graph, feeds: Values, batch = 1): Record<string, Float32Array> {
  return tf.tidy(() => {
    const tensors = Object.entries(feeds).map(([name, data]) => {
      const { dtype, shape } = graph.inputs.get(name)!;
      return [name, tfTensorOf(data, dtype, withBatch(shape, batch))] as const;
    });
    const { outputs } = interpret(withFixedBatch(graph, batch), Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, Float32Array.from(t.dataSync())]));
  });
}

export async function run(
  bytes: Uint8Array,
  feeds: Values,
  runtime: TfliteRuntime = 'litert',
): Promise<Record<string, Float32Array>> {
  const session = await openTflite(bytes, { runtime });
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, data]) => [name, Float32Array.from(data as Float32Array)]),
    );
  } finally {
    session.dispose();
  }
}

export function exported(graph: Graph, options: TfliteOptions = {}): Uint8Array {
  return exportTflite(graph, options).bytes;
}

/** The operators of a file in order, with what is fused into them. */
export function operators(bytes: Uint8Array): string[] {
  const model = readTflite(bytes);
  return model.subgraphs[0]!.operators.map(({ opcodeIndex, builtinOptions }) => {
    const { builtinCode } = model.operatorCodes[opcodeIndex]!;
    const fused = ['', '+RELU', '+RELU_N1_TO_1', '+RELU6'][Number(builtinOptions?.fusedActivationFunction ?? 0)]!;
    return builtinOperators[builtinCode]! + fused;
  });
}

export function expectClose(actual: Float32Array, expected: Float32Array, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  const largest = expected.reduce((a, b) => Math.max(a, Number.isFinite(b) ? Math.abs(b) : 0), 1e-3);
  expected.forEach((value, i) => {
    if (Object.is(value, actual[i]) || Math.abs(value - actual[i]!) <= tolerance * largest) return;
    throw new Error(`element ${i}: received ${actual[i]}, expected ${value} (largest magnitude ${largest})`);
  });
}
