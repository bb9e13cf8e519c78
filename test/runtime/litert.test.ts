import { UserError } from '../../src/base/errors.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { tensorTypes } from '../../src/formats/tflite/schema/tensor-types.ts';
import type { TfliteTensor } from '../../src/formats/tflite/types.ts';
import { writeTflite } from '../../src/formats/tflite/write.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import type { TfliteRuntime } from '../../src/runtime/litert.ts';
import { expectClose, exported, floats, randomFeeds, reference, sketch } from '../formats/tflite/support.ts';

const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const graph = sketch((g) => {
  const y = g.op('Conv2D', [g.input('image', floats('batch', 9, 9, 3)), g.weights([3, 3, 3, 8])], SAME3);
  const pooled = g.op('Mean', [g.op('HardSwish', [y])], { axes: [1, 2], keepDims: false });
  const logits = g.op('BatchMatMul', [pooled, g.weights([8, 4])], { transposeA: false, transposeB: false });
  return [g.op('Softmax', [logits], { axis: 1 }), logits];
});
const bytes = exported(graph);

describe.each<TfliteRuntime>(['litert', 'native'])('the %s runtime', (runtime) => {
  it('names inputs and outputs with their types and shapes', async () => {
    const session = await openTflite(bytes, { runtime });
    expect(session.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: [1, 9, 9, 3] }]);
    expect(session.outputs.map(({ name }) => name)).toEqual(['y0', 'y1']);
    session.dispose();
  });

  it('runs one session again and again, and several side by side', async () => {
    const sessions = [await openTflite(bytes, { runtime }), await openTflite(bytes, { runtime })];
    for (let i = 0; i < 5; i++) {
      const feeds = randomFeeds(graph, i);
      const expected = reference(graph, feeds);
      for (const session of sessions) {
        const results = await session.run(feeds);
        for (const name of ['y0', 'y1']) expectClose(results[name] as Float32Array, expected[name]!);
      }
    }
    sessions.forEach((session) => session.dispose());
  });

  it('keeps results when it runs again', async () => {
    const session = await openTflite(bytes, { runtime });
    const first = (await session.run(randomFeeds(graph, 1))).y1 as Float32Array;
    const copy = first.slice();
    await session.run(randomFeeds(graph, 2));
    expect(first).toEqual(copy);
    session.dispose();
  });

  it('goes from one batch size to another', async () => {
    const session = await openTflite(exported(graph, { batch: 'dynamic' }), { runtime });
    for (const batch of [2, 1, 5]) {
      const feeds = randomFeeds(graph, batch, batch);
      expectClose((await session.run(feeds)).y1 as Float32Array, reference(graph, feeds, batch).y1!);
    }
    session.dispose();
  });

  it('says what is wrong with what it is fed', async () => {
    const session = await openTflite(bytes, { runtime });
    await expect(session.run({})).rejects.toThrow('input image is not fed');
    await expect(session.run({ image: new Int32Array(243) })).rejects.toThrow(
      'image is float32, received a Int32Array',
    );
    await expect(session.run({ image: new Float32Array(3) })).rejects.toThrow('[1, 9, 9, 3], received 3 values');
    session.dispose();
  });

  it('refuses what is no TFLite file', async () => {
    await expect(openTflite(new Uint8Array(64), { runtime })).rejects.toThrow('not a TFLite file');
  });
});

it('both give the same', async () => {
  const feeds = randomFeeds(graph, 11);
  const [a, b] = await Promise.all(
    (['litert', 'native'] as const).map(async (runtime) => (await openTflite(bytes, { runtime })).run(feeds)),
  );
  expectClose(a!.y0 as Float32Array, b!.y0 as Float32Array, 1e-6);
});

it('the native runtime computes on several threads', async () => {
  const session = await openTflite(bytes, { runtime: 'native', threads: 2 });
  const feeds = randomFeeds(graph);
  expectClose((await session.run(feeds)).y0 as Float32Array, reference(graph, feeds).y0!);
  session.dispose();
});

it('litert refuses several threads and names the way out', async () => {
  await expect(openTflite(bytes, { threads: 2 })).rejects.toMatchObject({ hint: 'Use the native runtime for more.' });
});

it('litert refuses ends that it has no type for', async () => {
  const signs = sketch((g) => g.op('Cast', [g.input('a', floats(3))], { dtype: 'int16' }));
  await expect(openTflite(exported(signs))).rejects.toThrow('y0 is int16');
});

it('litert leaves no browser globals behind', async () => {
  const session = await openTflite(bytes);
  session.dispose();
  expect('importScripts' in globalThis).toBe(false);
});

/** A file some of whose tensors are changed. */
function changed(
  file: Uint8Array,
  change: (tensor: TfliteTensor, isInput: boolean) => Partial<TfliteTensor>,
): Uint8Array {
  const model = readTflite(file);
  const [main] = model.subgraphs;
  const tensors = main!.tensors.map((tensor, i) => ({ ...tensor, ...change(tensor, main!.inputs.includes(i)) }));
  return writeTflite({ ...model, subgraphs: [{ ...main!, tensors }] });
}

it.each(['string', 'complex64', 'uint64'] as const)(
  'refuses ends of type %s as a mistake of the file',
  async (type) => {
    const file = changed(bytes, (_, isInput) => (isInput ? { type: tensorTypes.indexOf(type) } : {}));
    for (const runtime of ['litert', 'native'] as const)
      await expect(openTflite(file, { runtime })).rejects.toThrow(UserError);
  },
);

it('takes an open size at another place than the first', async () => {
  const tanh = sketch((g) => g.op('Tanh', [g.input('x', floats(1, 4, 3))]));
  const file = changed(exported(tanh), () => ({ shape: [1, 1, 3], shapeSignature: [1, -1, 3] }));
  for (const runtime of ['litert', 'native'] as const) {
    const session = await openTflite(file, { runtime });
    for (const size of [1, 4]) {
      const x = Float32Array.from({ length: 3 * size }, (_, i) => i / 10);
      expectClose((await session.run({ x })).y0 as Float32Array, x.map(Math.tanh));
    }
    session.dispose();
  }
});

it('litert refuses several open sizes', async () => {
  const file = changed(bytes, (_, isInput) => (isInput ? { shapeSignature: [1, -1, -1, 3] } : {}));
  await expect(openTflite(file)).rejects.toThrow('takes one open size');
});
