import { freeMemory, memoryText } from '../../base/process/memory.ts';
import { watchOver } from '../../base/process/watchdog.ts';
import { failedNode } from '../../formats/onnx/failed-node.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { dataTypes } from '../../formats/onnx/model.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import type { DType } from '../../graph/types.ts';
import { arrays } from '../../graph/arrays.ts';
import { allocate, ortTensor, OnnxSession } from './session.ts';
import type { Tensor } from './session.ts';

export interface SeenTypes {
  /** Types of all values that the model computed, by name. */
  readonly types: ReadonlyMap<string, { readonly dtype: string; readonly dims: readonly number[] }>;
  /** Shape of each input, and its axes of open size. */
  readonly fed: ReadonlyMap<string, { readonly dims: readonly number[]; readonly open: readonly number[] }>;
  /** Reason why the model does not run. */
  readonly problem?: string;
}

/**
 * Types and shapes of all values of a model, found by running it once on zeros: exact for any operator of ONNX Runtime. Variable sizes are taken as
 * 1. A run that takes `most` bytes ends this process, after it has said so: a file of 2 kB may ask for more memory than any machine has, and the call of
 * the runtime cannot be ended otherwise.
 */
export function seenTypes(model: Model, file: string, most = Math.floor(0.75 * freeMemory())): SeenTypes {
  const names = [...new Set(model.graph.nodes.flatMap(({ outputs }) => outputs))].filter((name) => name !== '');
  const declared = new Map(model.graph.outputs.map((value) => [value.name, value]));
  const outputs = names.map((name) => declared.get(name) ?? { name });
  const open = { ...model, graph: { ...model.graph, outputs } };
  let session: OnnxSession | undefined;
  const watch = watchOver({
    mostBytes: process.memoryUsage.rss() + most,
    last: `${file}: one call of it takes more than ${memoryText(most)} of memory, and so its shapes cannot be seen\n`,
  });
  try {
    session = new OnnxSession(onnxContent(open), { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 });
    const inputs = session.inputs.map(({ name, type, shape }) => [name, zeros(name, type, shape)] as const);
    const fed = session.inputs.map(({ name, shape }, i) => {
      const open = shape.flatMap((size, axis) => (size < 0 ? [axis] : []));
      return [name, { dims: [...inputs[i]![1].dims], open }] as const;
    });
    const results = session.run(Object.fromEntries(inputs), Object.fromEntries(names.map((name) => [name, null])));
    const found = [...inputs, ...Object.entries(results)];
    return {
      types: new Map(found.map(([name, { type, dims }]) => [name, { dtype: type, dims: [...dims] }])),
      fed: new Map(fed),
    };
  } catch (error) {
    return { types: new Map(), fed: new Map(), problem: problemOf(error, model) };
  } finally {
    session?.dispose();
    watch.end();
  }
}

/** Fact and remedy of a model that did not run. */
function problemOf(error: unknown, { graph }: Model): string {
  const node = failedNode(error);
  if (node === undefined)
    return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!.slice(0, 200);
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const open = graph.inputs.filter(({ name, dims = [] }) => {
    return !stored.has(name) && dims.some((size) => typeof size !== 'number');
  });
  const fact = `ONNX Runtime cannot compute its ${node}`;
  if (open.length === 0) return `${fact}. Check the file with onnx.checker, and sizes that were given with --shape`;
  const sizes = open.map(
    ({ name, dims = [] }) => `${name}=${dims.map((size) => (typeof size === 'number' ? size : 'SIZE')).join()}`,
  );
  return `${fact} where sizes that the file leaves open are 1. Give others: --shape ${sizes.join(' ')}`;
}

function zeros(input: string, type: number, shape: readonly number[]): Tensor {
  const found = Object.entries(dataTypes).find(([, number]) => number === type)?.[0] ?? `of type ${type}`;
  if (!Object.hasOwn(arrays, found)) throw new Error(`its input ${input} is ${found}, of which no value is made up`);
  const dtype = found as DType;
  const dims = shape.map((size) => Math.max(size, 1));
  return ortTensor(
    dtype,
    allocate(
      dtype,
      dims.reduce((product, size) => product * size, 1),
    ),
    dims,
  );
}
