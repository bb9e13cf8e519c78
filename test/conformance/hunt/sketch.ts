import { RandomStream } from '../../../src/base/random.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor, ValueInfo } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import type { TensorData } from '../../../src/graph/types.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { attribute } from '../../support/onnx-steps.ts';
import type { Attrs } from '../../support/onnx-steps.ts';

/** A layer that does not fit what it is given, or that ONNX Runtime refuses: another one is tried. */
export class Misfit extends Error {}

/** Samples that a graph is tried with. */
export const BATCH = 3;

/** Values beyond this leave no digits to compare. */
const LARGEST = 1e3;

const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** How much of a sketch there was, to go back to. */
type Mark = readonly [nodes: number, stored: number, shapes: readonly (readonly [string, readonly number[]])[]];

/** A random graph while it grows: what is drawn for it depends on its seed alone. */
export class Sketch {
  readonly nodes: OnnxNode[] = [];
  readonly stored: OnnxTensor[] = [];
  readonly #shapes = new Map<string, readonly number[]>();
  readonly #random: RandomStream;
  readonly opset: number;
  readonly isOpen: boolean;
  #names = 0;
  #input: { readonly data: Float32Array; readonly shape: readonly number[] } | undefined;

  /** `draw`: the first draws of a seed may make no model. */
  constructor(seed: number, draw = 0) {
    this.#random = new RandomStream('hunt', seed, draw);
    this.opset = this.pick(7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24);
    this.isOpen = this.chance(0.7);
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + this.#random.below(most - least + 1);
  }

  chance(probability = 0.5): boolean {
    return this.#random.uniform() < probability;
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)]!;
  }

  /** Axes but for the batch, in a random order. */
  order(rank: number): number[] {
    return [0, ...Array.from(this.#random.permutation(rank - 1), (axis) => axis + 1)];
  }

  /** Operator sets from `first` on have what is asked for. */
  since(first: number): void {
    if (this.opset < first) throw new Misfit(`not before operator set ${first}`);
  }

  fits(condition: boolean): void {
    if (!condition) throw new Misfit('does not fit');
  }

  normals(count: number, scale = 1): Float32Array {
    return Float32Array.from({ length: count }, () => this.#random.normal() * scale);
  }

  input(sample: readonly number[]): string {
    const shape = [BATCH, ...sample];
    this.#input = { data: this.normals(sizeOf(shape)), shape };
    this.#shapes.set('x', shape);
    return 'x';
  }

  shape(name: string): readonly number[] {
    return this.#shapes.get(name)!;
  }

  /** Values so far that a layer could read again. */
  earlier(): readonly string[] {
    return [...this.#shapes.keys()];
  }

  /** Normal numbers, of a size that keeps what a layer gives near what it reads; away from 0 where they are to be positive. */
  plain(dims: readonly number[], { scale, isPositive = false }: { scale?: number; isPositive?: boolean } = {}): string {
    const fan = Math.max(1, sizeOf(dims.slice(1)));
    const data = this.normals(sizeOf(dims), scale ?? 1.2 / Math.sqrt(fan));
    return this.#store('w', 'float32', dims, isPositive ? data.map((value) => Math.abs(value) + 0.3) : data);
  }

  /** A weight, which now and then another layer has too, or which is computed of what is stored. */
  weight(dims: readonly number[], options: { scale?: number; isPositive?: boolean } = {}): string {
    const alike = this.stored.filter((one) => one.name.startsWith('w') && one.dims.join() === dims.join());
    if (alike.length > 0 && options.isPositive !== true && this.chance(0.08)) return this.pick(...alike).name;
    if (this.chance(0.94)) return this.plain(dims, options);
    const turned = [...dims.keys()].reverse();
    switch (this.int(0, 3)) {
      case 0:
        return this.op('Transpose', [this.plain([...dims].reverse(), { scale: 0.5, ...options })], { perm: turned });
      case 1:
        return this.op('Reshape', [this.plain([sizeOf(dims)], { scale: 0.5, ...options }), this.ints(...dims)]);
      case 2:
        return this.op('Mul', [this.plain(dims, options), this.floats(0.8)]);
      default:
        return this.op('Identity', [this.plain(dims, options)]);
    }
  }

  /** What exporters write as a node: a number or a few that tell how to compute, which nothing trains. */
  floats(...values: readonly number[]): string {
    const name = `v${this.#names++}`;
    const dims = values.length === 1 ? [] : [values.length];
    const value = tensor('', 'float32', dims, Float32Array.from(values));
    const attrs = new Map([['value', { type: 'tensor', value } as const]]);
    this.nodes.push({ op: 'Constant', domain: '', name: `Constant_${name}`, inputs: [], outputs: [name], attrs });
    this.#shapes.set(name, dims);
    return name;
  }

  table(dims: readonly number[], values: readonly number[]): string {
    return this.#store('c', 'float32', dims, Float32Array.from(values));
  }

  ints(...values: readonly number[]): string {
    return this.#store('i', 'int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  integer(value: number): string {
    return this.#store('i', 'int64', [], BigInt64Array.of(BigInt(value)));
  }

  indices(dims: readonly number[], values: readonly number[]): string {
    return this.#store('i', 'int64', dims, BigInt64Array.from(values, BigInt));
  }

  #store(letter: string, dtype: 'float32' | 'int64', dims: readonly number[], data: TensorData): string {
    const name = `${letter}${this.#names++}`;
    this.stored.push(tensor(name, dtype, dims, data));
    this.#shapes.set(name, dims);
    return name;
  }

  op(op: string, inputs: readonly string[], attrs: Attrs = {}): string {
    return this.ops(op, inputs, attrs, 1)[0]!;
  }

  /** Adds a node; ONNX Runtime says what shape its outputs have. */
  ops(op: string, inputs: readonly string[], attrs: Attrs, count: number): string[] {
    const outputs = Array.from({ length: count }, () => `v${this.#names++}`);
    this.nodes.push({
      ...{ op, domain: '', name: `${op}_${outputs[0]!}`, inputs, outputs },
      attrs: new Map(Object.entries(attrs).map(([name, value]) => [name, attribute(value)])),
    });
    const dtype = ['Greater', 'Less'].includes(op) ? 'bool' : 'float32';
    const given = this.#run(outputs.map((name): ValueInfo => ({ name, dtype })));
    for (const name of outputs) {
      const { data, shape } = given[name]!;
      if (shape.some((size) => size < 1) || sizeOf(shape) > 6000) throw new Misfit('too small or too large');
      if (data instanceof Float32Array && !data.every((value) => Math.abs(value) < LARGEST))
        throw new Misfit('too far');
      this.#shapes.set(name, shape);
    }
    return outputs;
  }

  #run(outputs: readonly ValueInfo[]) {
    let model: InferenceModel | undefined;
    try {
      const options = { logSeverityLevel: 4, graphOptimizationLevel: 'disabled' } as const;
      model = new InferenceModel(encodeModel(this.model(outputs)), 'sketch.onnx', options);
      return model.runNow({ x: this.#input! });
    } catch (error) {
      throw new Misfit(String(error));
    } finally {
      model?.dispose();
    }
  }

  /** What `layer` gives, or undefined, and the graph as it was, if the layer does not fit. */
  attempt(layer: () => string): string | undefined {
    const before: Mark = [this.nodes.length, this.stored.length, [...this.#shapes]];
    try {
      return layer();
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      this.nodes.length = before[0];
      this.stored.length = before[1];
      this.#shapes.clear();
      for (const [name, shape] of before[2]) this.#shapes.set(name, shape);
      return undefined;
    }
  }

  model(outputs: readonly ValueInfo[]): Model {
    const dims = this.#input!.shape.map((size, axis) => (axis === 0 && this.isOpen ? 'N' : size));
    return {
      ...{ irVersion: 8, opsets: new Map([['', this.opset]]), producerName: 'hunt', producerVersion: '' },
      ...{ metadata: new Map(), functions: [] },
      graph: {
        ...{ name: 'hunt', nodes: this.nodes, initializers: this.stored, outputs, valueInfos: [] },
        inputs: [{ name: 'x', dtype: 'float32', dims }],
      },
    };
  }
}

export const float = (value: number): OnnxAttr => ({ type: 'float', value });
export const strings = (...value: string[]): OnnxAttr => ({ type: 'strings', value });
