import { UserError } from '../../../base/errors.ts';
import type { Quantization } from '../../../graph/quantization.ts';
import { broadcast, withBatch } from '../../../graph/shapes.ts';
import type { AttrValue, DType, Graph, Node, Shape, TensorData, TensorType } from '../../../graph/types.ts';
import type { BuiltinOperator } from '../schema/operators.ts';
import type { Fields } from '../schema/notation.ts';
import { Program } from './program.ts';

/** A batch size, or `dynamic` if it is chosen when the model is loaded. */
export type TfliteBatch = number | 'dynamic';

/** Lowers one node into a program. */
export type TfliteLowering = (context: LoweringContext) => void;

/** The current node for its lowering, and methods to append operations. */
export class LoweringContext {
  readonly program: Program;
  readonly #graph: Graph;
  readonly #batch: TfliteBatch;
  readonly #aliases = new Map<string, string>();
  readonly #quantization: Quantization;
  node!: Node;

  constructor(graph: Graph, batch: TfliteBatch, quantization: Quantization) {
    this.program = new Program();
    this.#graph = graph;
    this.#batch = batch;
    this.#quantization = quantization;
  }

  /** Adds a value for an input, a constant, or a node output of the graph. */
  bind(name: string, type: TensorType, data?: TensorData): string {
    const quantization = this.#quantization.get(name);
    const bound = this.program.add(name, {
      type,
      ...(data === undefined ? {} : { data }),
      ...(quantization === undefined ? {} : { quantization }),
    });
    if (bound !== name) this.#aliases.set(name, bound);
    return bound;
  }

  /** Value of the node's input `i`. */
  input(i: number): string {
    return this.resolve(this.node.inputs[i]!);
  }

  inputs(): string[] {
    return this.node.inputs.map((name) => this.resolve(name));
  }

  resolve(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- checkGraph has checked the attribute's kind
  attr<T extends AttrValue = number>(name: string): T {
    return this.node.attrs[name] as T;
  }

  ints(name: string): readonly number[] {
    return this.attr<readonly number[]>(name);
  }

  type(name: string): TensorType {
    return this.program.type(name);
  }

  shape(name: string): Shape {
    return this.type(name).shape;
  }

  data(name: string): TensorData | undefined {
    return this.program.data(name);
  }

  /** Type of the node's output `i`, for the batch size of this export. */
  out(i = 0): TensorType {
    const { dtype, shape } = this.#graph.types.get(this.node.outputs[i]!)!;
    return { dtype, shape: this.fixed(shape) };
  }

  fixed(shape: Shape): Shape {
    return this.#batch === 'dynamic' ? shape : withBatch(shape, this.#batch);
  }

  /** Appends an operation that computes the node's outputs. */
  emit(op: BuiltinOperator, inputs: readonly string[], options?: Fields): void {
    const outputs = this.node.outputs.map((name, i) => this.bind(name, this.out(i)));
    this.#append(op, inputs, outputs, options);
  }

  /** Appends an operation with an intermediate result of the given type. */
  temp(op: BuiltinOperator, inputs: readonly string[], type: TensorType, options?: Fields): string {
    const output = this.program.add(`${this.node.outputs[0]!}/${op.toLowerCase()}`, { type });
    this.#append(op, inputs, [output], options);
    return output;
  }

  /** Appends an elementwise operation on broadcast operands, with an intermediate result. */
  binary(
    op: 'ADD' | 'SUB' | 'MUL' | 'DIV' | 'MAXIMUM' | 'MINIMUM' | 'EQUAL',
    a: string,
    b: string,
    dtype?: DType,
  ): string {
    const shape = broadcast(this.shape(a), this.shape(b));
    return this.temp(op, [a, b], { dtype: dtype ?? this.type(a).dtype, shape }, binaryOptions(op));
  }

  /** Appends an elementwise operation with an intermediate result. */
  unary(op: BuiltinOperator, x: string): string {
    return this.temp(op, [x], this.type(x));
  }

  /** Appends an operation that computes the node's output from broadcast operands. */
  emitBinary(op: 'ADD' | 'SUB' | 'MUL' | 'DIV' | 'MAXIMUM' | 'MINIMUM', a: string, b: string): void {
    this.emit(op, [a, b], binaryOptions(op));
  }

  /** Makes the node's output an alias of a value. */
  same(value: string): void {
    const output = this.node.outputs[0]!;
    this.#aliases.set(output, value);
    const quantization = this.#quantization.get(output);
    const bound = this.program.value(value);
    if (quantization !== undefined && bound.quantization === undefined)
      this.program.values.set(value, { ...bound, quantization });
  }

  /** An int32 vector with a shape, for operations that need one. With a dynamic batch it is computed from `like`. */
  shapeValue(shape: Shape, like: string): string {
    if (shape.every((dim) => typeof dim === 'number')) return this.program.ints(shape, 'shape');
    const batchAxis = this.shape(like).indexOf('batch');
    if (batchAxis < 0 || shape.some((dim) => typeof dim !== 'number' && dim !== 'batch'))
      this.fail('needs its batch size when it runs', 'Export with a fixed batch size.');
    // The operators of Google's converter, which interpreters recognize in memory planning.
    const type = (dims: readonly number[]): TensorType => ({ dtype: 'int32', shape: dims });
    const whole = this.temp('SHAPE', [like], type([this.shape(like).length]), { type$: 'ShapeOptions', outType: 2 });
    const range = [batchAxis, batchAxis + 1, 1].map((value) => this.program.ints([value]));
    const batch = this.temp('STRIDED_SLICE', [whole, ...range], type([]), {
      type$: 'StridedSliceOptions',
      shrinkAxisMask: 1,
    });
    const sizes = shape.map((dim) => (typeof dim === 'number' ? this.program.int(dim) : batch));
    const options = { type$: 'PackOptions', valuesCount: shape.length, axis: 0 };
    return this.temp('PACK', sizes, type([shape.length]), options);
  }

  fail(reason: string, hint: string): never {
    const where = this.node.layer === undefined ? '' : `layer ${this.node.layer}: `;
    throw new UserError(`${where}${this.node.op} ${reason}`, hint);
  }

  #append(op: BuiltinOperator, inputs: readonly string[], outputs: readonly string[], options?: Fields): void {
    const { layer } = this.node;
    this.program.operations.push({
      op,
      inputs,
      outputs,
      ...(options === undefined ? {} : { options }),
      ...(layer === undefined ? {} : { layer }),
    });
  }
}

function binaryOptions(op: string): Fields | undefined {
  const names: Record<string, string> = { ADD: 'AddOptions', SUB: 'SubOptions', MUL: 'MulOptions', DIV: 'DivOptions' };
  return names[op] === undefined ? undefined : { type$: names[op] };
}
