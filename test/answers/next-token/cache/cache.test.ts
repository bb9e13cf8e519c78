// Needs the feature next-token.
import { CachedReader } from '../../../../src/answers/next-token/cache/reader.ts';
import { withCache } from '../../../../src/answers/next-token/cache/graph.ts';
import { decoderParts } from '../../../../src/answers/next-token/cache/parts.ts';
import { RandomStream } from '../../../../src/base/random.ts';
import { dynamicInt8 } from '../../../../src/formats/onnx/dynamic.ts';
import type { Model } from '../../../../src/formats/onnx/model.ts';
import { onnxContent } from '../../../../src/formats/onnx/protobuf.ts';
import { halveModel } from '../../../../src/formats/onnx/rewrite/half.ts';
import { int4Weights, INT4_OPSET } from '../../../../src/formats/onnx/rewrite/int4.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { useCpu } from '../../../support/cpu.ts';
import { decoderFile, END, LENGTH, VOCABULARY } from './decoder-file.ts';

beforeAll(useCpu);

const OPTIONS = [
  { size: 16, depth: 2, heads: 4, groups: 2 },
  { size: 24, depth: 1, heads: 2, activation: 'gelu' },
  { size: 8, depth: 3, heads: 1 },
];

/** Texts of several lengths, with ends of texts in the middle. */
function texts(key: string, lengths: readonly number[]): number[][] {
  const random = new RandomStream('texts', key);
  return lengths.map((length) =>
    Array.from({ length }, (_, at) => (at === 0 || random.uniform() < 0.15 ? END : random.below(VOCABULARY))),
  );
}

/** Logits of each place by the file that reads whole sequences. */
function whole(model: Model, ids: readonly number[], length = LENGTH): Float32Array[] {
  const session = new InferenceModel(onnxContent(model), 'whole.onnx', {});
  const data = new Float32Array(length).fill(END);
  data.set(ids);
  const [input] = session.inputs;
  const answer = session.runNow({ [input!.name]: { data, shape: [1, length] } })['logits']!.data as Float32Array;
  session.dispose();
  return ids.map((_, at) => answer.slice(at * VOCABULARY, (at + 1) * VOCABULARY));
}

const reader = (model: Model, parts: ReturnType<typeof decoderParts>): CachedReader =>
  CachedReader.open(onnxContent(model), 'cached.onnx', parts, {});

function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const scale = Math.max(...b.flatMap((row) => [...row].map(Math.abs)));
  return Math.max(...a.flatMap((row, i) => [...row].map((value, k) => Math.abs(value - b[i]![k]!)))) / scale;
}

it.each(OPTIONS)('token by token with the cache it answers as for the whole sequence: %j', (options) => {
  const model = decoderFile(options);
  const parts = decoderParts(model, 'whole.onnx');
  const cached = reader(withCache(model, parts), parts);
  for (const ids of texts('steps', [1, 2, 5, 11, LENGTH, LENGTH])) {
    const steps = ids.map((_, at) => cached.logits(ids.slice(0, at + 1)));
    expect(distance(steps, whole(model, ids))).toBeLessThan(1e-5);
    // In two calls of several tokens, and again from the middle.
    const half = Math.ceil(ids.length / 2);
    const calls = [cached.logits(ids.slice(0, half)), cached.logits(ids), cached.logits(ids.slice(0, half))];
    expect(distance(calls, [steps[half - 1]!, steps.at(-1)!, steps[half - 1]!])).toBeLessThan(1e-5);
  }
  cached.dispose();
});

it('rows of several lengths in one call are padded on the left', () => {
  const model = decoderFile(OPTIONS[0]!);
  const parts = decoderParts(model, 'whole.onnx');
  const session = new InferenceModel(onnxContent(withCache(model, parts)), 'cached.onnx', {});
  const rows = texts('rows', [3, 9, LENGTH]);
  const pad = (ids: readonly number[], value: number): number[] => [
    ...new Array<number>(LENGTH - ids.length).fill(value),
    ...ids,
  ];
  const shape = [rows.length, LENGTH];
  const ints = (values: readonly number[]) => ({ data: BigInt64Array.from(values, BigInt), shape });
  const none = { data: new Float32Array(0), shape: [rows.length, parts.groups, 0, parts.depth] };
  const { data } = session.runNow({
    input_ids: ints(rows.flatMap((ids) => pad(ids, END))),
    attention_mask: ints(
      rows.flatMap((ids) =>
        pad(
          ids.map(() => 1),
          0,
        ),
      ),
    ),
    position_ids: ints(rows.flatMap((ids) => pad([...ids.keys()], 1))),
    ...Object.fromEntries(session.inputs.slice(3).map(({ name }) => [name, none])),
  })['logits']!;
  session.dispose();
  rows.forEach((ids, row) => {
    const last = (data as Float32Array).slice(((row + 1) * LENGTH - 1) * VOCABULARY, (row + 1) * LENGTH * VOCABULARY);
    expect(distance([last], [whole(model, ids).at(-1)!])).toBeLessThan(1e-5);
  });
});

it('a text that is longer than those of the training goes on, with the same answers by steps and at once', () => {
  const model = decoderFile(OPTIONS[0]!);
  const parts = decoderParts(model, 'whole.onnx');
  const file = withCache(model, parts);
  const [steps, once] = [reader(file, parts), reader(file, parts)];
  const ids = Array.from({ length: 5 * LENGTH }, (_, at) => (at === 0 ? END : 4 + ((at * 7) % 50)));
  let last: Float32Array | undefined;
  ids.forEach((_, at) => (last = steps.logits(ids.slice(0, at + 1))));
  expect(distance([last!], [once.logits(ids)])).toBeLessThan(1e-5);
  // A single layer sees no more than the last `length` places.
  const shallow = decoderFile(OPTIONS[1]!);
  const own = decoderParts(shallow, 'whole.onnx');
  const window = whole(shallow, ids.slice(-LENGTH)).at(-1)!;
  expect(distance([reader(withCache(shallow, own), own).logits(ids)], [window])).toBeLessThan(1e-5);
});

it.each([
  ['int8', (model: Model) => dynamicInt8(withCache(model, decoderParts(model, 'f'))), 0.05],
  ['int4', (model: Model) => int4Weights(withCache(model, decoderParts(model, 'f'), INT4_OPSET)), 0.5],
] as const)('weights in %s answer alike, and every product has them', (_, rewrite, largest) => {
  const model = decoderFile(OPTIONS[0]!);
  const parts = decoderParts(model, 'whole.onnx');
  const { result } = rewrite(model);
  const floats = result.graph.initializers.filter(({ dtype, dims }) => dtype === 'float32' && dims.length === 2);
  expect(floats.filter(({ dims }) => dims[0]! > 8 && dims[1]! > 8).length).toBeLessThanOrEqual(1);
  const cached = reader(result, parts);
  const [ids] = texts('int', [LENGTH]);
  const steps = ids!.map((__, at) => cached.logits(ids!.slice(0, at + 1)));
  expect(distance(steps, whole(model, ids!))).toBeLessThan(largest);
});

it('a file in float16 is read in float32', () => {
  const model = decoderFile(OPTIONS[0]!);
  const half = halveModel(model).result;
  expect(() => decoderParts(half, 'half.onnx')).not.toThrow();
});

it('other files are refused', () => {
  const model = decoderFile(OPTIONS[0]!);
  const bare = { ...model, metadata: new Map<string, string>() };
  const other = { ...model, graph: { ...model.graph, initializers: [] } };
  for (const one of [bare, other])
    expect(() => decoderParts(one, 'some.onnx')).toThrow(
      'some.onnx: is not a float32 or float16 file of the model decoder',
    );
});
