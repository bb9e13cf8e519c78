import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { loadData } from '../../src/setup/data.ts';
import { compression } from '../../src/tools/compress/compress.ts';
import { temporaryFolder } from '../support/folder.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [COUNT, STEPS, CHANNELS] = [40, 8, 12];

/** Two convolutions over [batch, channels, steps]. */
beforeEach(async () => {
  const stored = { a: floats(16, CHANNELS, 3), b: floats(16, 16, 3), w: floats(3, 16) };
  const model = modelOf(['n', CHANNELS, STEPS], stored, [
    ['Conv', ['x', 'a'], { kernel_shape: [3], pads: [1, 1] }],
    ['Relu', ['y0']],
    ['Conv', ['y1', 'b'], { kernel_shape: [3], pads: [1, 1] }],
    ['Relu', ['y2']],
    ['GlobalAveragePool', ['y3']],
    ['Flatten', ['y4']],
    ['Gemm', ['y5', 'w'], { transB: 1 }],
  ]);
  await writeFile(at('m.onnx'), encodeModel(model));
});

/** Samples of two axes, as an archive and as a recipe of it. */
async function data(first: number, second: number): Promise<void> {
  const x = Float32Array.from({ length: COUNT * first * second }, (_, i) => 2 * Math.sin(i * i));
  const y = Int32Array.from({ length: COUNT }, (_, i) => i % 3);
  await writeFile(at('d.npz'), zipSync({ 'x.npy': npyBytes([COUNT, first, second], x), 'y.npy': npyBytes([COUNT], y) })); // prettier-ignore
  await writeFile(at('x.npy'), npyBytes([COUNT, first, second], x));
  const dataset = { type: 'npz', train: { file: 'd.npz' }, testFraction: 0.2 };
  await writeFile(at('r.json'), JSON.stringify({ name: 'r', dataset, student: { model: 'mlp' } }));
}

/** Its recipe, and the files that were timed for it. */
async function compressed(name: string) {
  const timed: string[] = [];
  const onProgress = (what: string): void => void timed.push(what);
  const given = { model: at('m.onnx'), data: at(name), epochs: 0, seed: 0, formats: ['onnx'], out: at('out'), seconds: 0.1 } as const; // prettier-ignore
  const made = compression({ ...given, budget: 'size=4,latency=1', onProgress });
  const found = await made.then(({ loaded }) => ({ loaded }), (error: unknown) => ({ error: error as Error })); // prettier-ignore
  return { ...found, timed };
}

it.each(['x.npy', 'd.npz'])(
  'samples [channels, steps] as the model is fed, in %s, are those of the run',
  async (name) => {
    await data(CHANNELS, STEPS);
    const { loaded } = (await compressed(name)) as { loaded: Awaited<ReturnType<typeof compression>>['loaded'] };
    const { train } = await loadData(loaded.recipe);
    expect(train.sampleShape).toEqual([CHANNELS, STEPS]);
  },
);

it('those of a recipe may have their channels last', async () => {
  await data(STEPS, CHANNELS);
  const found = await compressed('r.json');
  expect(found).toHaveProperty('loaded');
  expect(found.timed.length).toBeGreaterThan(0);
});

it('data that the run would refuse are refused before anything is made or timed', async () => {
  await data(STEPS, CHANNELS + 1);
  const { error, timed } = (await compressed('r.json')) as { error: Error; timed: string[] };
  expect(error.message).toMatch(/m\.onnx: its input x is \[batch, 12, 8\], received samples of shape \[8, 13\]$/);
  expect(timed).toEqual([]);
  await expect(readFile(at('out/m-small.samples/cuts.json'))).rejects.toThrow('ENOENT');
});
