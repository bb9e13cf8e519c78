import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { OnnxAttr } from '../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/types.ts';
import { numbers } from '../support/graphs.ts';

const product = { transposeA: false, transposeB: false };

/** x [batch, 4] to logits [batch, 3], with labels in its metadata; `seed` changes the weights, `order` only the places of the classes. */
export function classifier({
  batch = 'batch',
  seed = 0,
  order = [0, 1, 2],
}: { batch?: Dim; seed?: number; order?: readonly number[] } = {}): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [batch, 4] });
  const weights = numbers(12, 'classifier', seed).map((_, i, all) => all[i - (i % 3) + order[i % 3]!]!);
  const w = b.constant({ dtype: 'float32', shape: [4, 3] }, weights);
  b.output('logits', b.op('BatchMatMul', [x, w], product));
  const metadata = new Map([['labels', JSON.stringify(order.map((c) => ['cat', 'dog', 'hen'][c]))]]);
  return encodeModel(lowerToOnnx(b.build(), { metadata }));
}

/** What `classifier` answers, summed as a reference. */
export function classified(x: ArrayLike<number>, seed = 0): number[] {
  const w = numbers(12, 'classifier', seed);
  return [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((sum, i) => sum + x[i]! * w[3 * i + c]!, 0));
}

/** Two inputs, two outputs: a + b and a - b, each [batch, 2], in any type of numbers. */
export function sumAndDifference(dtype: 'float32' | 'float16' | 'int64' | 'int32' = 'float32'): Uint8Array {
  const b = new GraphBuilder();
  const [x, y] = ['a', 'b'].map((name) => b.input(name, { dtype: 'float32', shape: ['batch', 2] }));
  b.output('sum', b.op('Add', [x!, y!]));
  b.output('difference', b.op('Sub', [x!, y!]));
  const model = lowerToOnnx(b.build());
  const typed = (values: typeof model.graph.inputs) => values.map((value) => ({ ...value, dtype }));
  const { inputs, outputs } = model.graph;
  return encodeModel({ ...model, graph: { ...model.graph, inputs: typed(inputs), outputs: typed(outputs) } });
}

/** Each sample less the mean of all: samples of a batch change each other's answers. */
export function centred(batch: Dim = 'batch'): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [batch, 2] });
  b.output('y', b.op('Sub', [x, b.op('Mean', [x], { axes: [0], keepDims: true })]));
  return encodeModel(lowerToOnnx(b.build()));
}

/**
 * Answers its input, samples of this shape, with these JSON values in its metadata, and a name for each number; of the task `embedding` it answers
 * with the numbers as a vector to search with.
 */
export function echo(
  shape: readonly number[],
  entries: Readonly<Record<string, object>>,
  task?: 'embedding',
): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('input', { dtype: 'float32', shape: ['batch', ...shape] });
  const one = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1));
  const [channels, size] = [shape.at(-1)!, shape.reduce((product, dimension) => product * dimension, 1)];
  const values = b.op('Multiply', [x, one]);
  b.output('values', task === undefined ? values : b.op('Reshape', [values], { shape: ['batch', size] }));
  const preprocessing = { shape, scale: 1, mean: new Array(channels).fill(0), std: new Array(channels).fill(1) };
  const names = task === undefined && { targets: Array.from({ length: size }, (_, i) => `value ${i}`) };
  const all = { preprocessing, ...names, ...entries };
  const metadata = new Map(Object.entries(all).map(([key, value]) => [key, JSON.stringify(value)]));
  if (task !== undefined) metadata.set('task', task);
  return encodeModel(lowerToOnnx(b.build(), { metadata: metadata.set('output', 'values') }));
}

/** Gives each token a logit for each of `tags` that follows from its id alone: [batch, length] to [batch, length, tags]. */
export function tagger(length: number, tags: number, metadata: ReadonlyMap<string, string>): Uint8Array {
  const b = new GraphBuilder();
  const ids = b.input('input', { dtype: 'float32', shape: ['batch', length] });
  const column = b.op('Reshape', [ids], { shape: ['batch', length, 1] });
  const rates = b.constant(
    { dtype: 'float32', shape: [tags] },
    Float32Array.from({ length: tags }, (_, i) => 0.7 + i),
  );
  b.output('logits', b.op('Sin', [b.op('Multiply', [column, rates])]));
  return encodeModel(lowerToOnnx(b.build(), { metadata }));
}

/** Answers ids + 100 times the mask + 1000 times the types: three int64 inputs [batch, length], in this order, to [batch, length]. */
export function threeInputs(length: number, metadata: ReadonlyMap<string, string>): Uint8Array {
  const b = new GraphBuilder();
  const names = ['input_ids', 'attention_mask', 'token_type_ids'];
  const terms = names.map((name, i) => {
    const ids = b.input(name, { dtype: 'int64', shape: ['batch', length] });
    const factor = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of([1, 100, 1000][i]!));
    return b.op('Multiply', [b.op('Cast', [ids], { dtype: 'float32' }), factor]);
  });
  b.output('values', b.op('Add', [b.op('Add', [terms[0]!, terms[1]!]), terms[2]!]));
  return encodeModel(lowerToOnnx(b.build(), { metadata }));
}

/** `classifier` behind a loop of 2^40 steps. */
export function endless(): Uint8Array {
  const model = decodeModel(classifier(), 'classifier');
  const value = (name: string, dtype: 'int64' | 'bool' | 'float32', dims: readonly number[]) => ({ name, dtype, dims });
  const node = (op: string, inputs: readonly string[], outputs: readonly string[]) => ({
    ...{ op, domain: '', name: '', inputs, outputs, attrs: new Map<string, OnnxAttr>() },
  });
  const body = {
    ...{ name: 'body', initializers: [], valueInfos: [] },
    nodes: [node('Identity', ['goes'], ['goes on']), node('Sin', ['before'], ['after'])],
    inputs: [value('step', 'int64', []), value('goes', 'bool', []), { name: 'before', dtype: 'float32' as const }],
    outputs: [value('goes on', 'bool', []), { name: 'after', dtype: 'float32' as const }],
  };
  const loop = {
    ...node('Loop', ['steps', '', 'x'], ['turned']),
    attrs: new Map([['body', { type: 'graph', value: body } as const]]),
  };
  const nodes = model.graph.nodes.map((one) => ({
    ...one,
    inputs: one.inputs.map((name) => (name === 'x' ? 'turned' : name)),
  }));
  const steps = tensor('steps', 'int64', [], BigInt64Array.of(2n ** 40n));
  const initializers = [...model.graph.initializers, steps];
  return encodeModel({ ...model, graph: { ...model.graph, nodes: [loop, ...nodes], initializers } });
}
