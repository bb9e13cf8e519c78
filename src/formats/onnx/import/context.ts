import { UserError } from '../../../base/errors.ts';
import { GraphBuilder } from '../../../graph/builder.ts';
import { broadcast, isStatic, staticShape } from '../../../graph/shapes.ts';
import type { Attrs, Constant, Dim, Shape, TensorData } from '../../../graph/types.ts';
import { tensorData } from '../model.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../model.ts';
import type { Counted, KnownTensor } from './fold/known.ts';
import { noted } from './ignored-attrs.ts';
import { ArrangedTensors } from './arranged.ts';
import type { Arrangement } from './arrangement.ts';
import { ANY_TYPE, INTEGERS } from './dtypes.ts';

const TO_NHWC = [0, 2, 3, 1] as const;
const TO_NCHW = [0, 3, 1, 2] as const;

/** Graph values of an ONNX tensor: in ONNX' order, with channels last, or both. */
interface Held {
  plain?: string;
  /** Value [n, h, w, c] of a tensor [n, c, h, w]. */
  nhwc?: string;
}

/** Context for importing one node. */
export class Import {
  readonly builder = new GraphBuilder();
  /** Integers that grow from sample to sample, by tensor name. */
  readonly counted = new Map<string, Counted>();
  /** Version of ONNX' own operator set in this file. */
  readonly opset: number;
  /** True if the graph will be trained: nodes with an effect in training only, such as Dropout, are then kept. */
  readonly isTrained: boolean;
  readonly #file: string;
  readonly #tensors: Map<string, OnnxTensor>;
  readonly #held = new Map<string, Held>();
  readonly #known = new Map<string, KnownTensor>();
  readonly #arranged = new ArrangedTensors({ builder: this.builder, op: (...args) => this.op(...args) });
  /** Values that a node or the caller reads. */
  readonly #wanted: Set<string>;
  readonly #importerOf: (node: OnnxNode, c: Import) => Importer;
  #node: OnnxNode | undefined;

  constructor(
    file: string,
    opset: number,
    tensors: Map<string, OnnxTensor>,
    wanted: Set<string>,
    importerOf: (node: OnnxNode, c: Import) => Importer,
    isTrained = false,
  ) {
    this.isTrained = isTrained;
    this.#file = file;
    this.opset = opset;
    this.#tensors = tensors;
    this.#wanted = wanted;
    this.#importerOf = importerOf;
  }

  /** Imports a node; its importer must read all attributes and inputs, and define all outputs that are used. */
  read(node: OnnxNode): void {
    this.#node = node;
    const { node: asked, unread } = noted(node);
    this.#importerOf(node, this)(asked, this);
    // A graph inside the node was read in the meantime.
    this.#node = node;
    const passed = unread();
    if (passed !== undefined) this.fail(`${passed} is not read here`);
    const isGiven = (name: string): boolean =>
      [this.#held, this.#known, this.#tensors, this.counted].some((of) => of.has(name));
    const missing = node.outputs.findIndex((name) => name !== '' && this.#wanted.has(name) && !isGiven(name));
    if (missing >= 0) this.fail(`its output ${missing + 1}, ${node.outputs[missing]!}, is not computed here`);
  }

  /** Imports a graph inside the current node, after its names were made unique; `wanted`: its outputs. */
  inside(graph: Pick<OnnxGraph, 'initializers' | 'nodes'>, wanted: readonly string[]): void {
    for (const tensor of graph.initializers) this.#tensors.set(tensor.name, tensor);
    for (const name of [...graph.nodes.flatMap(({ inputs }) => inputs), ...wanted]) this.#wanted.add(name);
    for (const node of graph.nodes) this.read(node);
  }

  /** Makes `name` an alias of a value. */
  alias(name: string, of: string): void {
    const known = this.#known.get(of);
    if (known !== undefined) this.defineKnown(name, known);
    else if (this.#tensors.has(of) && !this.#held.has(of)) this.#tensors.set(name, this.#tensors.get(of)!);
    else this.define(name, this.#hold(of));
  }

  /** Value of an output of the file, under its own name. */
  output(name: string): void {
    this.#node = { op: 'output', domain: '', name, inputs: [name], outputs: [], attrs: new Map() };
    this.builder.output(name, this.plain(name));
  }

  get layer(): string {
    return this.#node!.name || this.#node!.outputs[0]!;
  }

  fail(fact: string, hint = 'Export the model without it, or quantize it with a tool that knows it.'): never {
    const { op, domain } = this.#node!;
    const full = domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
    throw new UserError(
      `${this.#file}: node ${this.layer} (${full}): ${fact}`,
      hint.replace('--shape NAME=1,…', this.#sizesOfOne()),
    );
  }

  /** Options that give the batch of each input the size 1. */
  #sizesOfOne(): string {
    const open = [...this.builder.inputs].filter(([, { shape }]) => shape[0] === 'batch');
    return open.map(([name, { shape }]) => `--shape ${name}=${[1, ...shape.slice(1)].join(',')}`).join(' ');
  }

  op(op: string, inputs: readonly string[], attrs: Attrs = {}): string {
    return this.ops(op, inputs, attrs)[0]!;
  }

  /** Adds a node and returns all its results. Computations must be in float32. */
  ops(op: string, inputs: readonly string[], attrs: Attrs): string[] {
    for (const operand of ANY_TYPE.has(op) ? [] : inputs.filter((name) => name !== '')) {
      const { dtype } = this.builder.typeOf(operand);
      if (INTEGERS.has(op) && /^int/.test(dtype)) continue;
      if (dtype !== 'float32') this.fail(`it computes with ${dtype}; expected float32`);
    }
    try {
      return this.builder.node(op, inputs, attrs, { layer: this.layer });
    } catch (error) {
      // The builder's error also names the place.
      const { cause = error } = error as Error;
      return this.fail((cause as Error).message, 'Check the file with onnx.checker, and export the model again.');
    }
  }

  /** Broadcast shape of two. */
  broadcast(a: Shape, b: Shape): Dim[] {
    try {
      return broadcast(a, b);
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }

  /** A constant of the graph. */
  constant(data: Float32Array, shape: readonly number[], name?: string): string {
    return this.builder.constant({ dtype: 'float32', shape }, data, name);
  }

  /** A stored float tensor in the order that an op reads; one constant, whatever the orders. */
  operand(name: string, as: Arrangement): string {
    const held = this.#held.get(name)?.plain;
    const source = held !== undefined && this.builder.constantOf(held) !== undefined ? held : name;
    if (this.#arranged.has(source)) return this.#arranged.again(source, as);
    if (source === held) return this.#arranged.turned(held, as);
    const { data, shape } = this.weights(name, 'operand');
    return this.#arranged.add(source, data, shape, as);
  }

  /** The stored tensor of this name; undefined for a computed value. */
  stored(name: string | undefined): Constant | undefined {
    const value = name === undefined ? undefined : this.#held.get(name)?.plain;
    const made = value === undefined ? undefined : this.builder.constantOf(value);
    if (made !== undefined) return made;
    const known = this.#known.get(name ?? '');
    if (known !== undefined) return isStatic(known.values) ? constantOf(known) : undefined;
    const tensor = this.#tensors.get(name ?? '');
    return tensor === undefined ? undefined : this.#constantOf(tensor);
  }

  /** A stored float tensor, which the op requires. */
  weights(name: string | undefined, what: string): { data: Float32Array; shape: readonly number[] } {
    const found = this.stored(name);
    if (!(found?.data instanceof Float32Array)) return this.fail(`its ${what} must be stored in the file as float32`);
    return { data: found.data, shape: staticShape(found.type.shape, what) };
  }

  /** True if the values of a tensor are known in reading the file, up to the batch size. */
  isKnown(name: string): boolean {
    return this.#known.has(name) || this.stored(name) !== undefined;
  }

  /** True if the tensor is stored as floats, like weights. */
  isWeights(name: string): boolean {
    return !this.#known.has(name) && this.stored(name)?.type.dtype === 'float32';
  }

  knownOf(name: string | undefined): KnownTensor | undefined {
    const known = this.#known.get(name ?? '');
    const found = known === undefined ? this.stored(name) : undefined;
    if (found === undefined) return known;
    const values = Array.from(found.data as ArrayLike<number | bigint>, Number);
    return { dtype: found.type.dtype, dims: found.type.shape as number[], values };
  }

  /** Known integers as a list. */
  numbers(name: string | undefined, what: string): readonly Dim[] {
    const known = this.knownOf(name);
    if (known !== undefined && known.dims.length <= 1 && /^int/.test(known.dtype)) return known.values;
    return this.fail(`its ${what} is computed, or no list of integers; expected integers that are stored in the file`);
  }

  ints(name: string | undefined, what: string): number[] {
    const numbers = this.numbers(name, what);
    if (numbers.some((one) => typeof one !== 'number')) this.fail(`its ${what} depends on the batch size`);
    return numbers as number[];
  }

  /** The only element of a stored tensor of any type. */
  number(name: string, what: string): number {
    const found = this.stored(name);
    if (found === undefined) return this.fail(`its ${what} is computed, expected a number that is stored in the file`);
    if (found.data.length !== 1) return this.fail(`its ${what} has ${found.data.length} values, expected one`);
    return Number(found.data[0]);
  }

  defineKnown(name: string, known: KnownTensor): void {
    if (name !== '') this.#known.set(name, known);
  }

  define(name: string, held: Held): void {
    // '' stands for an omitted output.
    if (name !== '') this.#held.set(name, held);
  }

  /** Defines the ONNX tensor [n, c, h, w] of this name by an op with result [n, h, w, c]. */
  defineNhwc(name: string, value: string): void {
    this.define(name, { nhwc: value });
  }

  shapeOf(name: string): Shape {
    // A stored tensor is not added to the graph for this: ops may read it in another order only.
    const found = this.#held.has(name) ? undefined : this.stored(name);
    if (found !== undefined) return found.type.shape;
    const { plain, nhwc } = this.#hold(name);
    if (plain !== undefined) return this.builder.typeOf(plain).shape;
    const shape = this.builder.typeOf(nhwc!).shape;
    return TO_NCHW.map((axis) => shape[axis]!);
  }

  liesChannelsLast(name: string): boolean {
    return this.#hold(name).nhwc !== undefined;
  }

  plain(name: string): string {
    const held = this.#hold(name);
    held.plain ??= this.op('Transpose', [held.nhwc!], { perm: [...TO_NCHW] });
    return held.plain;
  }

  /** Value of a tensor [n, c, h, w] as [n, h, w, c]. */
  nhwc(name: string): string {
    const held = this.#hold(name);
    if (held.nhwc !== undefined) return held.nhwc;
    const { shape } = this.builder.typeOf(held.plain!);
    if (shape.length !== 4) this.fail(`expected a tensor [n, c, h, w], received [${shape.join(', ')}]`);
    held.nhwc = this.op('Transpose', [held.plain!], { perm: [...TO_NHWC] });
    return held.nhwc;
  }

  /** Operand of an elementwise op with another operand [n, h, w, c]: a stored one that broadcasts gets channels last. */
  alignedNhwc(name: string): string {
    const found = this.stored(name);
    if (found === undefined) return this.nhwc(name);
    const shape = staticShape(found.type.shape, name);
    const full = [...new Array<number>(4 - shape.length).fill(1), ...shape];
    const moved = TO_NHWC.map((axis) => full[axis]!);
    const leading = moved.findIndex((size) => size !== 1);
    return this.operand(name, { from: full, perm: TO_NHWC, shape: leading < 0 ? [] : moved.slice(leading) });
  }

  #hold(name: string): Held {
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    const found = this.stored(name);
    if (found === undefined && this.#known.has(name))
      return this.fail(`it reads ${name}, which is computed from shapes; expected float32`);
    if (found === undefined)
      return this.fail(
        `it reads ${name || 'an input that is left out'}, which nothing gives`,
        'Check the file with onnx.checker, and export the model again.',
      );
    const isArranged = this.#arranged.has(name);
    const held = {
      plain: isArranged ? this.#arranged.plain(name) : this.builder.constant(found.type, found.data, name),
    };
    this.#held.set(name, held);
    return held;
  }

  #constantOf(tensor: OnnxTensor): Constant {
    const data = tensorData(tensor);
    const isKnown = ['float32', 'int32', 'int64', 'bool'].includes(tensor.dtype);
    if (data === undefined || !isKnown)
      return this.fail(
        `it reads ${tensor.name}, which is stored as ${tensor.dtype}; expected a float32 model`,
        'Start from the float32 model.',
      );
    return { type: { dtype: tensor.dtype as 'float32', shape: tensor.dims }, data: data as TensorData };
  }
}

export type Importer = (node: OnnxNode, c: Import) => void;

function constantOf({ dtype, dims, values }: KnownTensor): Constant {
  const numbers = values as readonly number[];
  const type = { dtype, shape: dims };
  if (dtype === 'int64')
    return { type, data: BigInt64Array.from(numbers, (value) => BigInt.asIntN(64, BigInt(value))) };
  const View = dtype === 'float32' ? Float32Array : dtype === 'bool' ? Uint8Array : Int32Array;
  return { type, data: View.from(numbers) };
}
