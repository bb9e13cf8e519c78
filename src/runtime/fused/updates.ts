import { PART_PREFIX, splitUpdates } from '../../graph/passes/step/split-updates.ts';
import type { SplitGraph } from '../../graph/passes/step/split-updates.ts';
import type { FusedUpdate } from '../../graph/passes/step/fused-update.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { Graph, TensorData } from '../../graph/types.ts';
import { outputName } from '../../formats/onnx/lower.ts';
import { encodeModule } from '../../formats/wasm/module.ts';
import { VECTOR_BYTES } from '../../formats/wasm/instructions.ts';
import { sumFunction } from '../../formats/wasm/sum.ts';
import { kindOf, updateFunction } from '../../formats/wasm/update.ts';
import type { DivisibleFeed, ElementRange } from '../divisible-step.ts';
import type { Tensor } from '../onnxruntime/session.ts';
import { ortTensor } from '../onnxruntime/session.ts';
import type { HostStore } from '../state.ts';
import { Arena } from './arena.ts';
import { divisibleInput } from './divisible.ts';
import type { RowMemory } from './row-sums.ts';
import { RowSums } from './row-sums.ts';
import { wasmFunctions } from '../../formats/wasm/memory.ts';

type Feeds = Readonly<Record<string, TensorData>>;

interface Call {
  readonly run: (...args: readonly number[]) => void;
  readonly args: number[];
  /** Positions of scalars in `args`, and functions that read them from the feeds. */
  readonly scalars: readonly (readonly [at: number, read: (feeds: Feeds) => number])[];
}

/** An update, the feed by which it can be divided, and its call for a range of elements. */
interface Divided {
  readonly elements: number;
  readonly input: string | undefined;
  readonly callFor: (range: ElementRange) => Call;
}

/**
 * Updates of variables by WebAssembly, in one pass over memory each, and another for each sum of columns: the arithmetic of the nodes that
 * `splitUpdates` took out of a graph, in place. The variables move to WebAssembly's memory, and ONNX Runtime writes gradients there. onnxruntime-node
 * 1.30 also copies every output into an unused array.
 */
export class FusedUpdates {
  /** The graph without these updates, which is computed before them. */
  readonly rest: Graph;
  /** Tensors that receive outputs of the rest of the graph, by output. */
  readonly fetches: Readonly<Record<string, Tensor>>;
  /** Feeds whose updates can be limited to some elements. */
  readonly divisible: ReadonlyMap<string, DivisibleFeed>;
  readonly #updates: readonly Divided[];
  #calls: readonly Call[];
  /** Feeds that are read elementwise, with the memory that they are copied to. */
  readonly #copied: Map<string, Float32Array>;
  readonly #sums: readonly RowSums[];

  private constructor(
    rest: Graph,
    fetches: Record<string, Tensor>,
    updates: readonly Divided[],
    divisible: ReadonlyMap<string, DivisibleFeed>,
    copied: Map<string, Float32Array>,
    sums: readonly RowSums[],
  ) {
    this.rest = rest;
    this.fetches = fetches;
    this.divisible = divisible;
    this.#updates = updates;
    this.#calls = updates.map(({ elements, callFor }) => callFor({ from: 0, to: elements }));
    this.#copied = copied;
    this.#sums = sums;
  }

  /** Moves the variables of `store`; undefined, without moving any, if the graph has no such updates or memory is short. */
  static of(graph: Graph, store: HostStore): FusedUpdates | undefined {
    const split = splitUpdates(graph);
    if (split === undefined) return undefined;
    const { rest, updates, rowSums } = split;
    const sizeOf = (name: string): number => staticSize(graph.types.get(name)!.shape);
    const arena = arenaFor(split, sizeOf, store);
    if (arena === undefined) return undefined;
    const sizes = new Map(
      updates.flatMap(({ vectors, columns, elements, row }) => [
        ...vectors.map((name) => [name, rowSums.get(name)?.segments ?? elements] as const),
        ...columns.map((name) => [name, row] as const),
      ]),
    );
    for (const { rows } of rowSums.values()) sizes.set(rows, sizeOf(rows));
    const vectors = new Map<string, Float32Array>();
    for (const [name, elements] of sizes) {
      const isVariable = graph.state.has(name);
      const lent = rowSums.has(name) ? `${name} by rows` : name;
      const data = isVariable ? (arena.variable(name) ?? arena.place(name, elements)) : arena.lent(lent, elements);
      if (data === undefined) return undefined;
      vectors.set(name, data);
    }
    const rowMemory = rowMemoryOf(rowSums, vectors, sizeOf, arena);
    if (rowMemory === undefined) return undefined;
    for (const [name, data] of vectors) if (graph.state.has(name)) store.place(name, data);
    const scalars = new Map<string, Float32Array>();
    const fetches: Record<string, Tensor> = {};
    for (const output of rest.outputs.keys()) {
      if (!output.startsWith(PART_PREFIX)) continue;
      const name = output.slice(PART_PREFIX.length);
      const { dtype, shape } = graph.types.get(name)!;
      const data = rowMemory.ids.get(name) ?? vectors.get(name) ?? new Float32Array(1);
      if (!rowMemory.ids.has(name) && !vectors.has(name)) scalars.set(name, data as Float32Array);
      fetches[outputName(rest, output)] = ortTensor(dtype, data, staticShape(shape, name));
    }
    const scalarOf = (name: string): ((feeds: Feeds) => number) => {
      const constant = graph.constants.get(name);
      // A value of one number is a vector to an update of one number.
      const scalar = scalars.get(name) ?? (graph.state.has(name) ? undefined : vectors.get(name));
      if (constant !== undefined) return () => Number(constant.data[0]);
      if (scalar !== undefined) return () => scalar[0]!;
      if (graph.state.has(name)) return () => Number(store.data(name)[0]);
      return (feeds) => Number(feeds[name]![0]);
    };
    const kinds = [...new Map(updates.map((update) => [kindOf(update), update])).entries()];
    const functions = kinds.map(([kind, update]) => updateFunction(kind, update));
    const run = wasmFunctions(encodeModule([...functions, sumFunction('sum')]), arena.memory);
    const sums = rowMemory.sums.map((memory) => new RowSums(memory, run['sum']!));
    const divided = updates.map((update) => ({
      elements: update.elements,
      input: divisibleInput(update, split, graph),
      callFor: (range: ElementRange) => callOf(update, run[kindOf(update)]!, vectors, scalarOf, range),
    }));
    const divisible = updates.flatMap(({ writes }, i): [string, DivisibleFeed][] => {
      const { input } = divided[i]!;
      if (input === undefined) return [];
      const written = [...writes.keys()].map(
        (name) => [name, { data: vectors.get(name)!, isRead: rest.state.has(name) }] as const,
      );
      return [[input, { data: vectors.get(input)!, variables: new Map(written) }]];
    });
    const copied = new Map([...vectors].filter(([name]) => graph.inputs.has(name)));
    return new FusedUpdates(rest, fetches, divided, new Map(divisible), copied, sums);
  }

  /** Limits the updates of these feeds to some elements; the feeds are then no longer fed. */
  divide(ranges: ReadonlyMap<string, readonly ElementRange[]>): void {
    this.#calls = this.#updates.flatMap(({ elements, input, callFor }) =>
      ((input === undefined ? undefined : ranges.get(input)) ?? [{ from: 0, to: elements }]).map(callFor),
    );
    for (const name of ranges.keys()) this.#copied.delete(name);
  }

  /** Runs the updates, after the rest of the graph was computed with the same feeds. */
  run(feeds: Feeds): void {
    for (const [name, data] of this.#copied) data.set(feeds[name] as Float32Array);
    // A variable of one number may be read as a scalar and written, so all scalars are read first.
    for (const { args, scalars } of this.#calls) for (const [at, read] of scalars) args[at] = read(feeds);
    for (const sum of this.#sums) sum.write();
    for (const { run, args } of this.#calls) run(...args);
    for (const sum of this.#sums) sum.clear();
  }
}

/** Memory of sums of rows, and of the ids of each by name; undefined if there is none left. */
function rowMemoryOf(
  rowSums: SplitGraph['rowSums'],
  vectors: ReadonlyMap<string, Float32Array>,
  sizeOf: (name: string) => number,
  arena: Arena,
): { readonly sums: readonly RowMemory[]; readonly ids: ReadonlyMap<string, Int32Array> } | undefined {
  const ids = new Map([...rowSums.values()].map(({ ids: name }) => [name, new Int32Array(sizeOf(name))]));
  const seen = new Set<string>();
  const sums: RowMemory[] = [];
  for (const [name, { rows: of, ids: by, segments }] of rowSums) {
    const [rows, table] = [vectors.get(of)!, vectors.get(name)!];
    // Vectors of two tables may be added: the gradients of both are then the same rows, which are copied before the first sum of them writes there.
    const added = seen.has(of) ? arena.lent(`${name} rows`, rows.length) : rows;
    const zeros = arena.lent(`${name} zeros`, sizeOf(name) / segments);
    if (added === undefined || zeros === undefined) return undefined;
    seen.add(of);
    const addresses = new Int32Array(table.buffer, table.byteOffset, segments);
    sums.unshift({ addresses, zeros: zeros.byteOffset, rows, added, ids: ids.get(by)! });
  }
  return { sums, ids };
}

/** Memory that already has variables of these updates, or new memory. */
function arenaFor(split: SplitGraph, sizeOf: (name: string) => number, { arenas }: HostStore): Arena | undefined {
  const names = split.updates.flatMap(({ vectors }) => vectors);
  const known = arenas.find((arena) => names.some((name) => arena.variable(name) !== undefined));
  if (known !== undefined) return known;
  const arena = Arena.for(split, sizeOf);
  if (arena !== undefined) arenas.push(arena);
  return arena;
}

const bytesOf = (elements: number): number => Math.ceil((4 * elements) / VECTOR_BYTES) * VECTOR_BYTES;

function callOf(
  { row, vectors, columns, scalars }: FusedUpdate,
  run: Call['run'],
  data: ReadonlyMap<string, Float32Array>,
  scalarOf: (name: string) => (feeds: Feeds) => number,
  { from, to }: ElementRange,
): Call {
  const addresses = [
    ...vectors.map((name) => data.get(name)!.byteOffset + 4 * from),
    ...columns.map((name) => data.get(name)!.byteOffset),
  ];
  const elements = to - from;
  return {
    run,
    args: [...addresses, ...scalars.map(() => 0), ...[elements, row].map(bytesOf)],
    scalars: scalars.map((name, i) => [addresses.length + i, scalarOf(name)]),
  };
}
