import { checkGraph } from './check.ts';
import { opSpec } from './ops.ts';
import { symbolicSize } from './shapes.ts';
import type { Attrs, Constant, Graph, Node, TensorData, TensorType } from './types.ts';

/** Builds a graph node by node, inferring types. Names depend only on the order of calls. */
export class GraphBuilder {
  readonly #inputs = new Map<string, TensorType>();
  readonly #state = new Map<string, TensorType>();
  readonly #constants = new Map<string, Constant>();
  readonly #nodes: Node[] = [];
  readonly #producers = new Map<string, Node>();
  readonly #outputs = new Map<string, string>();
  readonly #updates = new Map<string, string>();
  readonly #types = new Map<string, TensorType>();
  readonly #counters = new Map<string, number>();
  readonly #reserved = new Set<string>();

  get inputs(): ReadonlyMap<string, TensorType> {
    return this.#inputs;
  }

  input(name: string, type: TensorType): string {
    this.#bind(name, type);
    this.#inputs.set(name, type);
    return name;
  }

  state(name: string, type: TensorType): string {
    this.#bind(name, type);
    this.#state.set(name, type);
    return name;
  }

  /** Adds a constant; if `name` is taken, a number is appended. */
  constant(type: TensorType, data: TensorData, name?: string): string {
    const unique = name !== undefined && !this.#types.has(name) ? name : this.#fresh(name ?? 'const');
    const { factor } = symbolicSize(type.shape);
    if (factor !== data.length)
      throw new Error(`constant ${unique}: ${data.length} values for [${type.shape.join(', ')}]`);
    this.#bind(unique, type);
    this.#constants.set(unique, { type, data });
    return unique;
  }

  /** Appends a node and returns its output names. `outputs`: preferred names. */
  node(
    op: string,
    inputs: readonly string[],
    attrs: Attrs = {},
    options: { layer?: string | undefined; outputs?: readonly string[] } = {},
  ): string[] {
    const where = options.layer === undefined ? op : `${options.layer}: ${op}`;
    let inferred: readonly TensorType[];
    try {
      inferred = this.#infer(op, inputs, attrs);
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
    const outputs = inferred.map((_, i) => options.outputs?.[i] ?? this.#fresh(op));
    outputs.forEach((name, i) => this.#bind(name, inferred[i]!));
    const node: Node = { op, inputs, attrs, outputs, ...(options.layer === undefined ? {} : { layer: options.layer }) };
    this.#nodes.push(node);
    for (const name of outputs) this.#producers.set(name, node);
    return outputs;
  }

  /** A node with one output. */
  op(op: string, inputs: readonly string[], attrs: Attrs = {}, layer?: string): string {
    return this.node(op, inputs, attrs, { layer })[0]!;
  }

  /** Keeps `name` from being chosen automatically. */
  reserve(name: string): void {
    this.#reserved.add(name);
  }

  /** Type of the first output that an op would have. */
  inferred(op: string, inputs: readonly string[], attrs: Attrs = {}): TensorType {
    return this.#infer(op, inputs, attrs)[0]!;
  }

  output(name: string, value: string): void {
    if (this.#outputs.has(name)) throw new Error(`output ${name} is bound twice`);
    this.typeOf(value);
    this.#outputs.set(name, value);
  }

  update(state: string, value: string): void {
    if (this.#updates.has(state)) throw new Error(`state ${state} is updated twice`);
    this.typeOf(value);
    this.#updates.set(state, value);
  }

  /** The node that computes a value; undefined for inputs, state and constants. */
  producerOf(name: string): Node | undefined {
    return this.#producers.get(name);
  }

  isState(name: string): boolean {
    return this.#state.has(name);
  }

  constantOf(name: string): Constant | undefined {
    return this.#constants.get(name);
  }

  typeOf(name: string): TensorType {
    const type = this.#types.get(name);
    if (type === undefined) throw new Error(`value ${name} is not bound`);
    return type;
  }

  build(): Graph {
    const graph: Graph = {
      inputs: this.#inputs,
      state: this.#state,
      constants: this.#constants,
      nodes: this.#nodes,
      outputs: this.#outputs,
      updates: this.#updates,
      types: this.#types,
    };
    checkGraph(graph);
    return graph;
  }

  #infer(op: string, inputs: readonly string[], attrs: Attrs): readonly TensorType[] {
    const types = inputs.map((name) => (name === '' ? ({ dtype: 'float32', shape: [] } as const) : this.typeOf(name)));
    return opSpec(op).infer(types, attrs);
  }

  #bind(name: string, type: TensorType): void {
    if (name === '') throw new Error('a value needs a name');
    if (this.#types.has(name)) throw new Error(`value ${name} is bound twice`);
    this.#types.set(name, type);
  }

  #fresh(prefix: string): string {
    for (;;) {
      const n = (this.#counters.get(prefix) ?? 0) + 1;
      this.#counters.set(prefix, n);
      const name = `${prefix}_${n}`;
      if (!this.#types.has(name) && !this.#reserved.has(name)) return name;
    }
  }
}

/** Makes a graph of these parts, inferring the types of its nodes. */
export function graphOf({ inputs, state, constants, nodes, outputs, updates }: Omit<Graph, 'types'>): Graph {
  const builder = new GraphBuilder();
  for (const [name, type] of inputs) builder.input(name, type);
  for (const [name, type] of state) builder.state(name, type);
  for (const [name, { type, data }] of constants) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of nodes) builder.node(op, inputs, attrs, { layer, outputs });
  for (const [name, value] of outputs) builder.output(name, value);
  for (const [name, value] of updates) builder.update(name, value);
  return builder.build();
}
