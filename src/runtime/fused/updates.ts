import { PART_PREFIX, splitUpdates } from '../../graph/passes/split-updates.ts';
import type { FusedUpdate } from '../../graph/passes/fused-update.ts';
import { staticShape } from '../../graph/shapes.ts';
import type { Graph, TensorData } from '../../graph/types.ts';
import { outputName } from '../../formats/onnx/lower.ts';
import { encodeModule } from '../../formats/wasm/module.ts';
import { VECTOR_BYTES } from '../../formats/wasm/instructions.ts';
import { kindOf, updateFunction } from '../../formats/wasm/update.ts';
import type { Tensor } from '../session.ts';
import { ortTensor } from '../session.ts';
import type { HostStore } from '../state.ts';
import { Arena } from './arena.ts';
import { wasmFunctions } from './webassembly.ts';

type Feeds = Readonly<Record<string, TensorData>>;

interface Call {
  readonly run: (...args: readonly number[]) => void;
  readonly args: number[];
  /** Positions of scalars in `args`, and the functions that read them. */
  readonly scalars: readonly (readonly [at: number, read: (feeds: Feeds) => number])[];
}

/**
 * Updates of variables by WebAssembly, in one pass over memory each and one more for each sum of columns that something reads: the
 * arithmetic of the nodes that `splitUpdates` took out of a graph, in place. The variables move to the memory of these functions, and
 * ONNX Runtime writes gradients there. onnxruntime-node 1.30 copies every output into an array of its own too, which nothing reads.
 */
export class FusedUpdates {
  /** The graph without these updates, which is computed before them. */
  readonly rest: Graph;
  /** Tensors that ONNX Runtime writes outputs of the rest of the graph into, by output. */
  readonly fetches: Readonly<Record<string, Tensor>>;
  readonly #calls: readonly Call[];
  /** Feeds that are read number by number, and where to. */
  readonly #copied: ReadonlyMap<string, Float32Array>;

  private constructor(
    rest: Graph,
    fetches: Record<string, Tensor>,
    calls: readonly Call[],
    copied: ReadonlyMap<string, Float32Array>,
  ) {
    this.rest = rest;
    this.fetches = fetches;
    this.#calls = calls;
    this.#copied = copied;
  }

  /** Moves the variables of `store`; undefined, with nothing moved, if the graph has no such updates or there is no memory for them. */
  static of(graph: Graph, store: HostStore): FusedUpdates | undefined {
    const split = splitUpdates(graph);
    if (split === undefined) return undefined;
    const { rest, updates } = split;
    const arena = arenaFor(updates, store);
    if (arena === undefined) return undefined;
    const sizes = new Map(
      updates.flatMap(({ vectors, columns, elements, row }) => [
        ...vectors.map((name) => [name, elements] as const),
        ...columns.map((name) => [name, row] as const),
      ]),
    );
    const vectors = new Map<string, Float32Array>();
    for (const [name, elements] of sizes) {
      const isVariable = graph.state.has(name);
      const data = isVariable ? (arena.variable(name) ?? arena.place(name, elements)) : arena.lent(name, elements);
      if (data === undefined) return undefined;
      vectors.set(name, data);
    }
    for (const [name, data] of vectors) if (graph.state.has(name)) store.place(name, data);
    const scalars = new Map<string, Float32Array>();
    const fetches: Record<string, Tensor> = {};
    for (const output of rest.outputs.keys()) {
      if (!output.startsWith(PART_PREFIX)) continue;
      const name = output.slice(PART_PREFIX.length);
      const data = vectors.get(name) ?? new Float32Array(1);
      if (!vectors.has(name)) scalars.set(name, data);
      fetches[outputName(rest, output)] = ortTensor('float32', data, staticShape(graph.types.get(name)!.shape, name));
    }
    const scalarOf = (name: string): ((feeds: Feeds) => number) => {
      const constant = graph.constants.get(name);
      const own = scalars.get(name);
      if (constant !== undefined) return () => Number(constant.data[0]);
      if (own !== undefined) return () => own[0]!;
      if (graph.state.has(name)) return () => Number(store.data(name)[0]);
      return (feeds) => Number(feeds[name]![0]);
    };
    const kinds = [...new Map(updates.map((update) => [kindOf(update), update])).entries()];
    const functions = kinds.map(([kind, update]) => updateFunction(kind, update));
    const run = wasmFunctions(encodeModule(functions), arena.memory);
    const calls = updates.map((update) => callOf(update, run[kindOf(update)]!, vectors, scalarOf));
    const copied = new Map([...vectors].filter(([name]) => graph.inputs.has(name)));
    return new FusedUpdates(rest, fetches, calls, copied);
  }

  /** Runs the updates, after the rest of the graph was computed with the same feeds. */
  run(feeds: Feeds): void {
    for (const [name, data] of this.#copied) data.set(feeds[name] as Float32Array);
    // A variable of one number may be read as a scalar and written: all are read before the first is written.
    for (const { args, scalars } of this.#calls) for (const [at, read] of scalars) args[at] = read(feeds);
    for (const { run, args } of this.#calls) run(...args);
  }
}

/** The memory that has variables of these updates already, or new memory for them. */
function arenaFor(updates: readonly FusedUpdate[], { arenas }: HostStore): Arena | undefined {
  const names = updates.flatMap(({ vectors }) => vectors);
  const known = arenas.find((arena) => names.some((name) => arena.variable(name) !== undefined));
  if (known !== undefined) return known;
  const arena = Arena.for(updates);
  if (arena !== undefined) arenas.push(arena);
  return arena;
}

const bytesOf = (elements: number): number => Math.ceil((4 * elements) / VECTOR_BYTES) * VECTOR_BYTES;

function callOf(
  { elements, row, vectors, columns, scalars }: FusedUpdate,
  run: Call['run'],
  data: ReadonlyMap<string, Float32Array>,
  scalarOf: (name: string) => (feeds: Feeds) => number,
): Call {
  const addresses = [...vectors, ...columns].map((name) => data.get(name)!.byteOffset);
  return {
    run,
    args: [...addresses, ...scalars.map(() => 0), ...[elements, row].map(bytesOf)],
    scalars: scalars.map((name, i) => [addresses.length + i, scalarOf(name)]),
  };
}
