import { bytesOf } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Shape, TensorData } from '../../src/graph/types.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import type { OnnxRuntimeStep } from '../../src/runtime/onnxruntime/step.ts';

/** Sizes of a text step, where ONNX Runtime shares the work among its threads. */
const [ROWS, SIZE, SEGMENTS] = [4096, 128, 1000];

type Build = (builder: GraphBuilder) => string;

function stepOf(threads: number, build: Build): Promise<OnnxRuntimeStep> {
  const builder = new GraphBuilder();
  builder.output('sum', build(builder));
  return createOnnxRuntimeEngine({ device: 'cpu', threads }).compileGraph(builder.build(), new Map());
}

const floats = (builder: GraphBuilder, name: string, shape: Shape): string =>
  builder.input(name, { dtype: 'float32', shape });
const indices = (builder: GraphBuilder, shape: Shape): string => builder.input('ids', { dtype: 'int32', shape });

const segmentSum: Build = (b) =>
  b.op('UnsortedSegmentSum', [floats(b, 'x', [ROWS, SIZE]), indices(b, [ROWS])], { numSegments: SEGMENTS });
const scatterNd: Build = (b) =>
  b.op('ScatterNd', [indices(b, [ROWS, 1]), floats(b, 'x', [ROWS, SIZE])], { shape: [SEGMENTS, SIZE] });

/** Ids as words come in a text: few of them make up most of it. */
function draw(random: RandomStream): Int32Array {
  return Int32Array.from({ length: ROWS }, () => Math.floor(SEGMENTS ** random.uniform()) - 1);
}

function summed(x: Float32Array, ids: Int32Array): Float32Array {
  const sums = new Float32Array(SEGMENTS * SIZE);
  ids.forEach((id, row) => {
    for (let i = 0; i < SIZE; i++) sums[id * SIZE + i] = sums[id * SIZE + i]! + x[row * SIZE + i]!;
  });
  return sums;
}

function same(a: TensorData, b: TensorData): boolean {
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

describe('rows added at repeated places', () => {
  it.each([
    ['UnsortedSegmentSum', 2, 200, segmentSum],
    ['UnsortedSegmentSum', 4, 200, segmentSum],
    ['ScatterNd', 2, 50, scatterNd],
  ])('%s loses none on %i threads in %i calls', async (name, threads, calls, build) => {
    const random = new RandomStream(name);
    const step = await stepOf(threads, build);
    // Whole numbers: their sums are exact in any order.
    const x = Float32Array.from({ length: ROWS * SIZE }, () => 1 + random.below(8));
    let wrong = 0;
    for (let call = 0; call < calls; call++) {
      const ids = draw(random);
      const expected = summed(x, ids);
      const { sum } = step.runSync({ x, ids });
      if (!same(sum!, expected)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('have the same bytes on any number of threads', async () => {
    const random = new RandomStream('bytes');
    const feeds = { x: Float32Array.from({ length: ROWS * SIZE }, () => random.normal()), ids: draw(random) };
    const sums: TensorData[] = [];
    for (const threads of [1, 2, 3, 4]) sums.push((await stepOf(threads, segmentSum)).runSync(feeds)['sum']!.slice());
    expect(sums.map((sum) => same(sum, sums[0]!))).toEqual([true, true, true, true]);
    const expected = summed(feeds.x, feeds.ids);
    expect(expected.every((value, i) => Math.abs(value - Number(sums[0]![i])) < 1e-4)).toBe(true);
  });

  it('have the same bytes in several steps of one call', async () => {
    const random = new RandomStream('steps');
    const feeds = [1, 2, 3].map(() => ({
      x: Float32Array.from({ length: ROWS * SIZE }, () => random.normal()),
      ids: draw(random),
    }));
    const step = await stepOf(2, segmentSum);
    const sums = (await step.runs(feeds)).map(({ sum }) => sum!);
    expect(feeds.map((each, i) => same(step.runSync(each)['sum']!, sums[i]!))).toEqual([true, true, true]);
  });
});

it('the gradient of overlapping maxima loses nothing on more threads', async () => {
  const attrs = { filterSize: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
  const shape = [4, 24, 24, 8];
  const random = new RandomStream('windows');
  const size = shape.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length: size }, () => random.below(1000));
  const dy = Float32Array.from({ length: size }, () => 1 + random.below(8));
  const build: Build = (b) => {
    const [image, gradient] = [floats(b, 'x', shape), floats(b, 'dy', shape)];
    return b.op('MaxPoolGrad', [gradient, image, b.op('MaxPool', [image], attrs)], attrs);
  };
  const run = (step: OnnxRuntimeStep): TensorData => step.runSync({ x, dy })['sum']!;
  const expected = run(await stepOf(1, build)).slice();
  for (const threads of [2, 4]) {
    const step = await stepOf(threads, build);
    let wrong = 0;
    for (let call = 0; call < 100; call++) if (!same(run(step), expected)) wrong++;
    expect(wrong).toBe(0);
  }
});
