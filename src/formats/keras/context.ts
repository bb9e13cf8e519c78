import { clipped, shown, UserError } from '../../base/errors.ts';
import { attributes } from '../onnx/attribute.ts';
import type { ShortAttrs } from '../onnx/attribute.ts';
import { transposeData } from '../onnx/lower/layout.ts';
import { tensor } from '../onnx/model.ts';
import type { OnnxNode, OnnxTensor } from '../onnx/model.ts';
import type { KerasCall, SavedLayer } from './config.ts';
import { EXPORT } from './config.ts';
import type { KerasArray } from './hdf5.ts';
import { unfitting } from './weights.ts';

/** Size of an axis; null if it is open. */
export type Size = number | null;

/** A tensor of the ONNX graph, with the shape that Keras gives it: batch first, channels last. */
export interface KerasValue {
  readonly tensor: string;
  readonly shape: readonly Size[];
  /** True if the tensor has the channels as its second axis. */
  readonly isFirst: boolean;
  readonly isInteger?: boolean;
}

/** Nodes and stored tensors of the ONNX graph. */
export class OnnxParts {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #names = new Set<string>();
  /** Turned tensors by the order of their axes and the name of the tensor that was turned. */
  readonly #turned = new Map<string, string>();
  #constants = 0;

  node(scope: string, op: string, inputs: readonly string[], attrs: ShortAttrs, outputs: number): string[] {
    const name = this.unique(this.#names.has(scope) ? `${scope}/${op}` : scope);
    const results = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : this.unique(`${name}_output`)));
    this.nodes.push({ op, domain: '', name, inputs, outputs: results, attrs: attributes(attrs) });
    return results;
  }

  unique(wish: string): string {
    let name = wish;
    for (let n = 2; this.#names.has(name); n++) name = `${wish}_${n}`;
    this.#names.add(name);
    return name;
  }

  stored(name: string, dims: readonly number[], data: Float32Array | BigInt64Array): string {
    const made = this.unique(name);
    this.initializers.push(tensor(made, data instanceof Float32Array ? 'float32' : 'int64', dims, data));
    return made;
  }

  /** A number that is not trained: its name says so to whoever trains the file. */
  constant(values: readonly number[], dims: readonly number[]): string {
    return this.stored(`const_${this.#constants++}`, dims, Float32Array.from(values));
  }

  ints(values: readonly number[]): string {
    return this.stored(
      `ints_${values.join('_').replaceAll('-', 'm')}`,
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  /** The tensor with its axes in another order; turning it back gives the first tensor again. */
  turned(scope: string, from: string, perm: readonly number[]): string {
    const key = (name: string, order: readonly number[]): string => `${order.join()} ${name}`;
    const known = this.#turned.get(key(from, perm));
    if (known !== undefined) return known;
    const [made] = this.node(`${scope}/Transpose`, 'Transpose', [from], { perm }, 1) as [string];
    this.#turned.set(key(from, perm), made);
    this.#turned.set(
      key(
        made,
        perm.map((_, i) => perm.indexOf(i)),
      ),
      from,
    );
    return made;
  }
}

/** Settings without an effect on what a layer computes outside training. */
const ANY: ReadonlySet<string> = new Set(
  (
    'name trainable dtype autocast batch_shape batch_input_shape build_config compile_config quantization_config seed synchronized ' +
    'fused implementation unroll input_length input_dim ragged sparse optional momentum dropout recurrent_dropout rate noise_shape stddev layer unit_forget_bias zero_output_for_mask'
  ).split(' '),
);
const ABOUT_TRAINING = /_(initializer|regularizer|constraint)$|^renorm_/;

/** A layer that is written as ONNX nodes: reads settings and weights, and refuses what nobody has read. */
export class LayerContext {
  readonly layer: SavedLayer;
  readonly call: KerasCall;
  readonly parts: OnnxParts;
  readonly file: string;
  readonly isKeras3: boolean;
  readonly #scope: string;
  readonly #arrays: readonly KerasArray[];
  readonly #stored: Map<KerasArray, string>;
  readonly #read = new Set<string>();
  #next = 0;

  constructor(
    layer: SavedLayer,
    call: KerasCall,
    at: {
      readonly parts: OnnxParts;
      readonly file: string;
      readonly isKeras3: boolean;
      readonly scope: string;
      readonly arrays: readonly KerasArray[];
      /** Names of the arrays that are already in the file: a layer that is called twice has one set of weights. */
      readonly stored: Map<KerasArray, string>;
    },
  ) {
    this.layer = layer;
    this.call = call;
    this.parts = at.parts;
    this.file = at.file;
    this.isKeras3 = at.isKeras3;
    this.#scope = at.scope;
    this.#arrays = at.arrays;
    this.#stored = at.stored;
  }

  /** The layer inside a wrapper, with the arrays that the wrapper has not read yet. */
  inner(layer: SavedLayer): LayerContext {
    const { call, parts, file, isKeras3 } = this;
    const at = {
      parts,
      file,
      isKeras3,
      scope: `${this.#scope}/${layer.name}`,
      arrays: this.#arrays,
      stored: this.#stored,
    };
    const inside = new LayerContext(layer, call, at);
    inside.#next = this.#next;
    return inside;
  }

  /** Takes over which arrays the inner layer has read. */
  leave(inside: LayerContext): void {
    inside.checkRead();
    this.#next = inside.#next;
  }

  fail(fact: string): never {
    const { name, className } = this.layer;
    throw new UserError(`${this.file}: layer ${clipped(name)} (${clipped(className)}): ${fact}`, EXPORT);
  }

  /** A setting; `undefined` if the file has none. */
  setting(key: string): unknown {
    this.#read.add(key);
    return this.layer.config[key];
  }

  int(key: string, usual?: number): number {
    const value = this.setting(key) ?? usual;
    return Number.isSafeInteger(value) ? (value as number) : this.refuse(key);
  }

  number(key: string, usual?: number): number {
    const value = this.setting(key) ?? usual;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.refuse(key);
  }

  flag(key: string, usual: boolean): boolean {
    const value = this.setting(key) ?? usual;
    return typeof value === 'boolean' ? value : this.refuse(key);
  }

  /** A list of `length` integers, of which Keras may write a single one. */
  list(key: string, length: number, usual?: number): number[] {
    const value = this.setting(key) ?? usual;
    const all = typeof value === 'number' ? new Array<number>(length).fill(value) : value;
    const isList = Array.isArray(all) && all.length === length && all.every((one) => Number.isSafeInteger(one));
    return isList ? (all as number[]) : this.refuse(key);
  }

  oneOf<const Name extends string>(key: string, names: readonly Name[], usual?: Name): Name {
    const value = this.setting(key) ?? usual;
    return names.find((name) => name === value) ?? this.refuse(key);
  }

  /** An axis as a number from 0. */
  axis(value: unknown, rank: number): number {
    const axes: unknown[] = Array.isArray(value) ? value : [value];
    const [axis] = axes;
    const isAxis = Number.isInteger(axis) && (axis as number) >= -rank && (axis as number) < rank;
    if (!isAxis || axes.length !== 1) this.fail(`cannot compute along axis ${shown(value)} of ${rank}`);
    return ((axis as number) + rank) % rank;
  }

  /** Refuses a setting by its name and value. */
  refuse(key: string): never {
    return this.fail(`cannot compute with ${key} ${shown(this.layer.config[key])}`);
  }

  /** `UserError` for settings and weights that the layer has but nobody has read. */
  checkRead(): void {
    for (const [key, value] of Object.entries(this.layer.config)) {
      const isEmpty = value === null || value === false || (Array.isArray(value) && value.length === 0);
      const isUsual = (key === 'data_format' && value === 'channels_last') || (key === 'groups' && value === 1);
      if (!this.#read.has(key) && !isEmpty && !isUsual && !ANY.has(key) && !ABOUT_TRAINING.test(key)) this.refuse(key);
    }
  }

  /** `UserError` for arrays that no layer has read. */
  checkWeights(): void {
    const left = this.#arrays.length - this.#next;
    if (left > 0)
      throw unfitting(this.file, this.layer, `has ${this.#arrays.length} arrays of weights, expected ${this.#next}`);
  }

  /** The next array of the layer, whose shape must fit: null stands for any size. */
  array(name: string, shape: readonly (number | null)[]): KerasArray {
    const found = this.#arrays[this.#next];
    if (found === undefined) throw unfitting(this.file, this.layer, `its weight ${name} is missing in the file`);
    const fits =
      found.shape.length === shape.length && shape.every((size, i) => size === null || size === found.shape[i]);
    if (!fits)
      throw unfitting(
        this.file,
        this.layer,
        `expected its weight ${name} of shape [${shape.map((size) => size ?? '?').join(', ')}], received [${found.shape.join(', ')}]`,
      );
    this.#next++;
    return found;
  }

  /** Number of arrays that are left. */
  get left(): number {
    return this.#arrays.length - this.#next;
  }

  /** Stores the next array as a weight. `change`: its axes in the order that ONNX wants. */
  weight(
    name: string,
    shape: readonly (number | null)[],
    change: (array: KerasArray) => KerasArray = (one) => one,
  ): string {
    const array = this.array(name, shape);
    const known = this.#stored.get(array);
    if (known !== undefined) return known;
    const { shape: dims, data } = change(array);
    const made = this.parts.stored(`${this.#scope}/${name}`, dims, data);
    this.#stored.set(array, made);
    return made;
  }

  op(op: string, inputs: readonly string[], attrs: ShortAttrs = {}): string {
    return this.parts.node(this.#scope, op, inputs, attrs, 1)[0]!;
  }

  ops(op: string, inputs: readonly string[], attrs: ShortAttrs, outputs: number): string[] {
    return this.parts.node(this.#scope, op, inputs, attrs, outputs);
  }

  scalar(value: number): string {
    return this.parts.constant([value], []);
  }

  ints(values: readonly number[]): string {
    return this.parts.ints(values);
  }

  /** The tensor with its channels as the last axis, as Keras has it. */
  last({ tensor: name, shape, isFirst }: KerasValue): string {
    const rank = shape.length;
    if (!isFirst || rank < 3) return name;
    return this.parts.turned(this.#scope, name, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
  }

  /** The tensor with its channels as the second axis, as ONNX has it. */
  first({ tensor: name, shape, isFirst }: KerasValue): string {
    const rank = shape.length;
    if (isFirst || rank < 3) return name;
    return this.parts.turned(this.#scope, name, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]);
  }

  /** Reshapes to a shape whose only open size, but for the batch, is computed. */
  reshaped(name: string, shape: readonly Size[]): string {
    return this.op('Reshape', [name, this.ints(shape.map((size, i) => (i === 0 ? 0 : (size ?? -1))))]);
  }
}

/** An array with its axes in another order. */
export function withAxes({ shape, data }: KerasArray, order: readonly number[]): KerasArray {
  return { shape: order.map((axis) => shape[axis]!), data: transposeData(data, shape, order) as Float32Array };
}

/** Writes a layer as nodes. `inputs`: the tensors of the call, in order. */
export type LayerRule = (k: LayerContext, inputs: readonly KerasValue[]) => KerasValue | readonly KerasValue[];
