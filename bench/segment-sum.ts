/**
 * Ways to sum rows by their ids, as the gradient of an embedding does: `npm run bench:segment-sum`. Each on 4,096 ids of vectors of
 * 128, whole numbers, so that a sum that differs from that in JavaScript is wrong and not rounded. For each way the fastest
 * of up to 20 calls in milliseconds, and how many were wrong.
 */
import '../src/features.ts';
import { RandomStream } from '../src/base/random.ts';
import { OnnxBuilder } from '../src/formats/onnx/lower/builder.ts';
import { lowerToOnnx } from '../src/formats/onnx/lower.ts';
import { encodeModel } from '../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../src/graph/builder.ts';
import { ortTensor, OnnxSession, tensorValues } from '../src/runtime/onnxruntime/session.ts';
import { table } from './processes.ts';

const [ROWS, SIZE] = [4096, 128];
/** Calls, but no more where they have taken so many milliseconds. */
const [CALLS, MOST_MS] = [20, 300];
const VOCABULARIES = [100, 1_000, 10_000, 30_000];

type Way = (b: OnnxBuilder, vocabulary: number) => string;

const zeros = (b: OnnxBuilder, vocabulary: number): string =>
  b.one('Expand', [b.scalar('float32', 0), b.ints([vocabulary, SIZE])]);
const column = (b: OnnxBuilder): string =>
  b.one('Reshape', [b.one('Cast', ['ids'], { to: { dtype: 'int64' } }), b.ints([-1, 1])]);

/** Beside ours: what ONNX offers, and a product with the ids as rows of zeros and a one. */
const WAYS: Readonly<Record<string, Way>> = {
  'ScatterND add': (b, vocabulary) => b.one('ScatterND', [zeros(b, vocabulary), column(b), 'x'], { reduction: 'add' }),
  'ScatterElements add': (b, vocabulary) => {
    const everywhere = b.one('Expand', [column(b), b.ints([ROWS, SIZE])]);
    return b.one('ScatterElements', [zeros(b, vocabulary), everywhere, 'x'], { axis: 0, reduction: 'add' });
  },
  'one-hot product': (b, vocabulary) => {
    const words = b.initializer(
      'int32',
      [vocabulary, 1],
      Int32Array.from({ length: vocabulary }, (_, i) => i),
    );
    return b.one('MatMul', [b.one('Cast', [b.one('Equal', [words, 'ids'])], { to: { dtype: 'float32' } }), 'x']);
  },
};

function ourModel(vocabulary: number): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [ROWS, SIZE] });
  const ids = b.input('ids', { dtype: 'int32', shape: [ROWS] });
  b.output('sum', b.op('UnsortedSegmentSum', [x, ids], { numSegments: vocabulary }));
  return encodeModel(lowerToOnnx(b.build()));
}

function modelOf(way: Way, vocabulary: number): Uint8Array {
  const b = new OnnxBuilder(new Set());
  way(b, vocabulary);
  return encodeModel({
    irVersion: 8,
    opsets: new Map([['', 17]]),
    producerName: '',
    producerVersion: '',
    graph: {
      name: 'sum',
      nodes: [...b.nodes.slice(0, -1), { ...b.nodes.at(-1)!, outputs: ['sum'] }],
      initializers: [...b.initializers.values()],
      inputs: [
        { name: 'x', dtype: 'float32', dims: [ROWS, SIZE] },
        { name: 'ids', dtype: 'int32', dims: [ROWS] },
      ],
      outputs: [{ name: 'sum', dtype: 'float32', dims: [vocabulary, SIZE] }],
      valueInfos: [],
    },
    metadata: new Map(),
    functions: [],
  });
}

/** Ids as words come in a text (the n-th most frequent word about every n-th time as often), or all equally often. */
function draw(random: RandomStream, vocabulary: number, kind: string): Int32Array {
  return Int32Array.from({ length: ROWS }, () =>
    kind === 'text' ? Math.floor(vocabulary ** random.uniform()) - 1 : random.below(vocabulary),
  );
}

function timed(bytes: Uint8Array, vocabulary: number, kind: string, threads: number): string {
  const session = new OnnxSession(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  const random = new RandomStream('segment-sum', kind, vocabulary);
  const x = Float32Array.from({ length: ROWS * SIZE }, () => 1 + random.below(8));
  const sum = ortTensor('float32', new Float32Array(vocabulary * SIZE), [vocabulary, SIZE]);
  let [fastest, wrong, calls] = [Infinity, 0, 0];
  for (let spent = 0; calls < CALLS && spent < MOST_MS; calls++) {
    const ids = draw(random, vocabulary, kind);
    const feeds = { x: ortTensor('float32', x, [ROWS, SIZE]), ids: ortTensor('int32', ids, [ROWS]) };
    const began = performance.now();
    session.run(feeds, { sum });
    const ms = performance.now() - began;
    fastest = Math.min(fastest, ms);
    spent += ms;
    const expected = new Float32Array(vocabulary * SIZE);
    ids.forEach((id, row) => {
      for (let i = 0; i < SIZE; i++) expected[id * SIZE + i] = expected[id * SIZE + i]! + x[row * SIZE + i]!;
    });
    const found = tensorValues(sum);
    if (expected.some((value, i) => value !== found[i])) wrong++;
  }
  session.dispose();
  return wrong === 0 ? fastest.toFixed(1) : `${fastest.toFixed(1)} (${wrong} of ${calls} wrong)`;
}

const rows = VOCABULARIES.flatMap((vocabulary) =>
  ['uniform', 'text'].flatMap((kind) =>
    [1, 2].map((threads) => [
      String(vocabulary),
      kind,
      String(threads),
      timed(ourModel(vocabulary), vocabulary, kind, threads),
      ...Object.values(WAYS).map((way) => timed(modelOf(way, vocabulary), vocabulary, kind, threads)),
    ]),
  ),
);
console.log(table(['vocabulary', 'ids', 'threads', 'ours', ...Object.keys(WAYS)], rows));
