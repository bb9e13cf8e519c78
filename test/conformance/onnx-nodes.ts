import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fromHalfArray } from '../../src/base/bytes.ts';
import { UserError } from '../../src/base/errors.ts';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import type { Model, OnnxDType, OnnxTensor } from '../../src/formats/onnx/model.ts';
import { byteLength, elementCount, tensor, tensorData } from '../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import type { Graph, TensorData } from '../../src/graph/types.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import type { InferenceTensor } from '../../src/runtime/inference.ts';

export interface NodeCase {
  readonly name: string;
  readonly inputs: readonly StoredTensor[];
  /** None where ONNX Runtime alone says what the model gives. */
  readonly outputs: readonly StoredTensor[] | null;
}

/** Without `dtype`: a value that is no tensor of numbers. */
interface StoredTensor {
  readonly name: string;
  readonly dtype?: OnnxDType;
  readonly shape?: readonly number[];
  readonly offset?: number;
}

/** What our reader makes of a case: the differences that were found, or why the model is refused in every form. */
export type Outcome =
  | { readonly kind: 'read'; readonly wrong: readonly string[] }
  | { readonly kind: 'refused'; readonly error: unknown }
  /** Nothing says what the model ought to give. */
  | { readonly kind: 'unknown' };

type Values = Readonly<Record<string, InferenceTensor>>;

/** What a model ought to give, and how near to it: the outputs that the test stores have few digits. */
interface Expected {
  readonly outputs: ReadonlyMap<string, OnnxTensor>;
  readonly tolerance: number;
  readonly from: string;
}

/**
 * Reads the model of a case as it is, and with all inputs but the first of floats stored in it as constants; both also with
 * its first axis left open, as files of a model for any batch size have it.
 */
export async function tryCase(folder: string, number: number, one: NodeCase): Promise<Outcome> {
  const model = decodeModel(readFileSync(path.join(folder, `${number}.onnx`)), `${number}.onnx`);
  const data = readFileSync(path.join(folder, `${number}.bin`));
  const fed = tensorsOf(one.inputs, data);
  const first = fed.find(({ dtype }) => dtype === 'float32' || dtype === 'float16') ?? fed[0];
  const folded = first === undefined ? [] : fed.filter((tensor) => tensor !== first);
  let refusal: unknown;
  let expected: Expected[] | undefined;
  const wrong: string[] = [];
  for (const constants of folded.length === 0 ? [[]] : [[], folded]) {
    for (const isOpen of [false, true]) {
      let graph: Graph;
      try {
        const read = importOnnx(variant(model, constants, isOpen), 'case.onnx');
        graph = forInference(read, (part) => evaluator.runSync(part, new Map()));
      } catch (error) {
        if (!(error instanceof UserError)) return { kind: 'refused', error };
        if (!isOpen) refusal = error;
        continue;
      }
      expected ??= await expectedOf(model, one, fed, data);
      if (expected.length === 0) return { kind: 'unknown' };
      const how = `${constants.length > 0 ? ', constants stored' : ''}${isOpen ? ', any batch' : ''}`;
      const feeds = fed.filter((tensor) => !constants.includes(tensor)).map(wide);
      wrong.push(...(await differences(graph, feeds, expected)).map((what) => `${one.name}${how}: ${what}`));
    }
  }
  return expected === undefined ? { kind: 'refused', error: refusal } : { kind: 'read', wrong };
}

/** What is read is fed float32 where the file is fed float16. */
function wide(t: OnnxTensor): OnnxTensor {
  if (t.dtype !== 'float16') return t;
  return tensor(t.name, 'float32', t.dims, fromHalfArray(tensorData(t) as Uint16Array));
}

function variant(model: Model, constants: readonly OnnxTensor[], isOpen: boolean): Model {
  const { inputs, initializers } = model.graph;
  const isStored = new Set(constants.map(({ name }) => name));
  const left = inputs.filter(({ name }) => !isStored.has(name));
  const opened = left.map((input) => ({ ...input, dims: (input.dims ?? []).map((dim, i) => (i === 0 ? 'N' : dim)) }));
  return {
    ...model,
    graph: { ...model.graph, inputs: isOpen ? opened : left, initializers: [...initializers, ...constants] },
  };
}

function tensorsOf(stored: readonly StoredTensor[], data: Uint8Array): OnnxTensor[] {
  return stored.flatMap(({ name, dtype, shape, offset }) => {
    if (dtype === undefined) return [];
    const length = byteLength(dtype, elementCount(shape!));
    return [{ name, dtype, dims: shape!, raw: data.subarray(offset, offset! + length) }];
  });
}

/** What the case stores, and what ONNX Runtime makes of the file, where that is not something else. */
async function expectedOf(
  model: Model,
  one: NodeCase,
  fed: readonly OnnxTensor[],
  data: Uint8Array,
): Promise<Expected[]> {
  const given = one.outputs === null ? undefined : tensorsOf(one.outputs, data);
  // Where the file computes in float16, we do so in float32.
  const isHalf = [...fed, ...(given ?? [])].some(({ dtype }) => dtype === 'float16');
  const stored = given === undefined ? undefined : new Map(given.map((t) => [t.name, wide(t)]));
  const expected =
    stored === undefined ? [] : [{ outputs: stored, tolerance: isHalf ? 4e-3 : 1e-4, from: 'what is stored' }];
  if (isHalf) return expected;
  let results: Values;
  try {
    results = await run(encodeModel(model), fed);
  } catch {
    return expected; // ONNX Runtime has no kernel for this operator set, or finds the node wrong.
  }
  const outputs = new Map(
    Object.entries(results).map(([name, { data: values, shape }]) => [
      name,
      tensor(name, dtypeOf(values), shape, values),
    ]),
  );
  const differs = expected.some((first) =>
    [...outputs].some(([name, t]) => distance(t, first.outputs.get(name)!) > 1e-4),
  );
  return differs ? expected : [...expected, { outputs, tolerance: 1e-5, from: 'ONNX Runtime' }];
}

function distance(actual: OnnxTensor, expected: OnnxTensor): number {
  if (actual.dims.join() !== expected.dims.join()) return Infinity;
  return relativeError(tensorData(actual) as TensorData, tensorData(expected) as TensorData);
}

async function run(bytes: Uint8Array, fed: readonly OnnxTensor[]): Promise<Values> {
  const session = new InferenceModel(bytes, 'case.onnx', { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 });
  try {
    const feeds = fed.map(
      (tensor) => [tensor.name, { data: tensorData(tensor) as TensorData, shape: tensor.dims }] as const,
    );
    return await session.run(Object.fromEntries(feeds));
  } finally {
    session.dispose();
  }
}

async function differences(graph: Graph, fed: readonly OnnxTensor[], expected: readonly Expected[]): Promise<string[]> {
  let results: Values;
  try {
    results = await run(encodeModel(lowerToOnnx(graph)), fed);
  } catch (error) {
    return [`what was read does not run: ${(error as Error).message}`];
  }
  return expected.flatMap(({ outputs, tolerance, from }) =>
    [...graph.outputs.keys()].flatMap((name) => {
      const { data, shape } = results[name]!;
      const error = distance(tensor(name, dtypeOf(data), shape, data), outputs.get(name)!);
      return error <= tolerance ? [] : [`output ${name} differs from ${from} by ${error.toExponential(2)}`];
    }),
  );
}

/** ONNX Runtime's truths are bytes, as ours are. */
function dtypeOf(values: TensorData): 'float32' | 'int32' | 'int64' | 'uint8' {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof BigInt64Array) return 'int64';
  return values instanceof Int32Array ? 'int32' : 'uint8';
}

/** The largest difference by the largest value, which counts as 1 at least. */
function relativeError(actual: TensorData, expected: TensorData): number {
  let [scale, worst] = [1, 0];
  for (const value of expected) if (Number.isFinite(Number(value))) scale = Math.max(scale, Math.abs(Number(value)));
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [Number(actual[i]), Number(expected[i])];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const error = Math.abs(a - e) / scale;
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}

/** A test of one operator of ONNX' own, of tensors of the types that are read; and which operators the model has. */
export function aboutCase(folder: string, number: number, one: NodeCase): { operators: string; isSingle: boolean } {
  const { graph } = decodeModel(readFileSync(path.join(folder, `${number}.onnx`)), `${number}.onnx`);
  const types: readonly (OnnxDType | undefined)[] = ['float32', 'int32', 'int64', 'bool'];
  const isRead = [...graph.inputs, ...graph.outputs].every(
    ({ dtype, otherType }) => otherType === undefined && types.includes(dtype),
  );
  const isOwn = graph.nodes.length === 1 && one.inputs.every(({ dtype }) => dtype !== undefined);
  return { operators: [...new Set(graph.nodes.map(({ op }) => op))].join('+'), isSingle: isOwn && isRead };
}
