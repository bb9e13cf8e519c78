import { UserError } from '../../../base/errors.ts';
import { readersOf } from '../../../graph/passes/uses.ts';
import { staticShape, staticSize } from '../../../graph/shapes.ts';
import type { DType, Graph, Node, Shape, TensorType } from '../../../graph/types.ts';
import { OnnxBuilder } from './builder.ts';
import type { Layout } from './layout.ts';
import { between, isPlain, keepsOrder, permuted, plainLayout, transposeData } from './layout.ts';
import { batchSize, fixedReshape } from './reshape.ts';

export interface LowerOptions {
  /** ONNX operator set; raised if an op of the graph needs a later one. */
  readonly opset: number;
  /** Treat NaN as tfjs does in every op (max, sign, step, ...), at the cost of extra nodes. */
  readonly exactNaN: boolean;
  /** True if the provider's MaxPool returns the positions of maxima (not WebGPU's). */
  readonly poolIndices: boolean;
  /** True if the provider convolves any number of channels correctly (not WebGPU's, see channels.ts). */
  readonly anyChannels: boolean;
  /** Let a matrix product add a whole matrix, not only a bias: for training steps, because quantized files have no such product. */
  readonly addsMatrices: boolean;
  /** Layout of activations in blocks of channels: `inBlocks` of blocked/table.ts; only for ONNX Runtime's cpu provider. */
  readonly blocked?: BlockedLowering | undefined;
}

/** Lowers nodes in blocks of channels where it can: true for each that it took. */
export type BlockedLowering = (c: Lowering) => (node: Node) => boolean;

/** Makes a value in `layout`, or in a layout of its own choice. */
export type Make = (layout: Layout) => { readonly tensor: string; readonly layout: Layout };

/** The graph and the ONNX nodes so far, for lowering rules. */
export class Lowering extends OnnxBuilder {
  readonly graph: Graph;
  readonly options: LowerOptions;
  /** Values that were flattened in another layout than the plain one: sizes of the flattened axes, and their order. */
  readonly flattened = new Map<string, { readonly sizes: readonly number[]; readonly order: readonly number[] }>();
  /** Value of each tensor; the first if two values share a tensor. */
  readonly values = new Map<string, string>();
  readonly #tensors = new Map<string, Map<string, string>>();
  readonly #deferred = new Map<string, Make>();
  readonly #memo = new Map<string, unknown>();
  #consumers: ReadonlyMap<string, readonly Node[]> | undefined;

  constructor(graph: Graph, options: LowerOptions) {
    super(new Set([...graph.inputs.keys(), ...graph.state.keys()]));
    this.graph = graph;
    this.options = options;
    for (const name of [...graph.inputs.keys(), ...graph.state.keys()])
      this.define(name, name, plainLayout(this.typeOf(name).shape.length));
  }

  typeOf(value: string): TensorType {
    return this.graph.types.get(value)!;
  }

  shapeOf(value: string): Shape {
    return this.typeOf(value).shape;
  }

  /** Nodes that read a value. */
  consumersOf(value: string): readonly Node[] {
    this.#consumers ??= readersOf(this.graph.nodes);
    return this.#consumers.get(value) ?? [];
  }

  /** True for an output or an update of the graph. */
  isResult(value: string): boolean {
    return [...this.graph.outputs.values(), ...this.graph.updates.values()].includes(value);
  }

  /** Defines `tensor` as the graph's `value` in `layout` (plain by default). */
  define(value: string, tensor: string, layout: Layout = plainLayout(this.shapeOf(value).length)): void {
    const layouts = this.#tensors.get(value) ?? new Map<string, string>();
    layouts.set(layout.join(), tensor);
    this.#tensors.set(value, layouts);
    if (!this.values.has(tensor)) this.values.set(tensor, value);
    this.wish(tensor, isPlain(layout) ? value : `${value}:${layout.join('')}`);
  }

  /** Registers `make` as the source of a value, called when a rule needs it, such as for a value that exists in no permutation of axes. */
  defer(value: string, make: Make): void {
    this.#deferred.set(value, make);
  }

  isDefined(value: string): boolean {
    return this.#tensors.has(value) || this.#deferred.has(value);
  }

  /** Layouts in which a value exists; empty for a constant, which is available in any. */
  layoutsOf(value: string): Layout[] {
    return [...(this.#tensors.get(value)?.keys() ?? [])].map((key) => (key === '' ? [] : key.split(',').map(Number)));
  }

  /** The value in an existing layout, plain if possible. */
  any(value: string): { tensor: string; layout: Layout } {
    const layouts = this.graph.constants.has(value) ? [] : this.layoutsOf(value);
    const layout = layouts.find(isPlain) ?? layouts[0] ?? plainLayout(this.shapeOf(value).length);
    return { tensor: this.as(value, layout), layout };
  }

  plain(value: string): string {
    return this.as(value, plainLayout(this.shapeOf(value).length));
  }

  /** The value in `layout`: existing, transposed now (once), or for a constant transposed and stored. */
  as(value: string, layout: Layout): string {
    const known = this.#tensors.get(value)?.get(layout.join());
    if (known !== undefined) return known;
    const made = this.layoutsOf(value).length === 0 ? this.#deferred.get(value)?.(layout) : undefined;
    if (made !== undefined) {
      this.define(value, made.tensor, made.layout);
      return this.as(value, layout);
    }
    const constant = this.graph.constants.get(value);
    const shape = this.shapeOf(value);
    let tensor: string;
    if (constant !== undefined) {
      const sizes = staticShape(shape, value);
      const data = isPlain(layout) ? constant.data : transposeData(constant.data, sizes, layout);
      tensor = this.initializer(constant.type.dtype, permuted(sizes, layout) as number[], data, value);
    } else {
      const from = this.layoutsOf(value)[0];
      if (from === undefined) throw new Error(`value ${value} is used before it is lowered`);
      const source = this.#tensors.get(value)!.get(from.join())!;
      tensor = this.transpose(source, permuted(shape, from), between(from, layout));
    }
    this.define(value, tensor, layout);
    return tensor;
  }

  /** A value for broadcasting against results of rank `rank` in `layout`: missing axes are inserted with size 1. */
  aligned(value: string, rank: number, layout: Layout): string {
    const shape = this.shapeOf(value);
    if (shape.length === rank) return this.as(value, layout);
    if (isPlain(layout) || shape.every((dim) => dim === 1)) return this.plain(value);
    return this.once(`aligned ${value} ${layout.join()}`, () => {
      const full = [...new Array<number>(rank - shape.length).fill(1), ...shape];
      const constant = this.graph.constants.get(value);
      const target = permuted(full, layout);
      const leading = target.findIndex((dim) => dim !== 1);
      if (constant === undefined) return this.transpose(this.reshape(this.plain(value), shape, full), full, layout);
      const data = transposeData(constant.data, full as number[], layout);
      return this.initializer(constant.type.dtype, target.slice(leading) as number[], data, value);
    });
  }

  /** Result of `build` for a key, computed once. */
  once<T = string>(key: string, build: () => T): T {
    if (this.#memo.has(key)) return this.#memo.get(key) as T;
    const made = build();
    this.#memo.set(key, made);
    return made;
  }

  transpose(tensor: string, shape: Shape, perm: readonly number[]): string {
    if (perm.every((axis, i) => axis === i)) return tensor;
    if (keepsOrder(shape, perm)) return this.reshape(tensor, shape, permuted(shape, perm));
    return this.one('Transpose', [tensor], { perm: [...perm] });
  }

  reshape(tensor: string, from: Shape, to: Shape): string {
    if (from.length === to.length && from.every((dim, i) => dim === to[i])) return tensor;
    const sizes = fixedReshape(from, to);
    if (sizes === undefined) return this.one('Reshape', [tensor, this.shapeVector(to)]);
    return this.one('Reshape', [tensor, this.ints(sizes)], to.includes(0) ? { allowzero: 1 } : {});
  }

  /** `shape` as a 1-D int64 tensor, computed from an input's shape if it depends on the batch size. */
  shapeVector(shape: Shape): string {
    return this.once(`shape ${shape.join()}`, () => {
      if (shape.every((dim) => typeof dim === 'number')) return this.ints(shape);
      const parts = shape.map((dim) => (typeof dim === 'number' ? this.ints([dim]) : batchSize(this, dim)));
      return this.one('Concat', parts, { axis: 0 });
    });
  }

  /** Number of elements of `shape` as a scalar of a float type. */
  count(shape: Shape, dtype: DType): string {
    if (shape.every((dim) => typeof dim === 'number')) return this.scalar(dtype, staticSize(shape));
    return this.once(`count ${shape.join()} ${dtype}`, () => {
      const size = this.one('ReduceProd', [this.shapeVector(shape)], { keepdims: 0 });
      return this.cast(size, dtype);
    });
  }

  cast(tensor: string, to: DType | 'float64'): string {
    return this.one('Cast', [tensor], { to: { dtype: to } });
  }

  /** A reduction over axes of a tensor; ONNX moved `axes` from attribute to input in different operator sets. */
  reduce(op: string, tensor: string, axes: readonly number[], keepDims: boolean): string {
    const asInput = this.options.opset >= 18 || op === 'ReduceSum';
    const keepdims = keepDims ? 1 : 0;
    if (asInput) return this.one(op, [tensor, this.ints(axes)], { keepdims });
    return this.one(op, [tensor], { axes: [...axes], keepdims });
  }

  filled(shape: Shape, dtype: DType, value: number): string {
    const fill = this.scalar(dtype, value);
    return shape.length === 0 ? fill : this.one('Expand', [fill, this.shapeVector(shape)]);
  }

  fail(node: Node, fact: string, hint: string): never {
    const where = node.layer === undefined ? '' : ` in layer ${node.layer}`;
    throw new UserError(`${node.op}${where} cannot be written as ONNX: ${fact}`, hint);
  }
}

export type Rule = (node: Node, c: Lowering) => void;
