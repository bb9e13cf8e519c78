import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { toHalfArray } from '../../../src/base/bytes.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import { readClassVectors, zeroShot } from '../../../src/distill/teachers/zero-shot.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { npyBytes } from '../../support/npy.ts';
import { SIDE, stripedPictures, stripesTeacher } from '../../support/stripes.ts';

const folder = temporaryFolder();
const NAMES = ['ant', 'bee'];
const f = (...values: number[]): Float32Array => Float32Array.from(values);
const npy = (shape: number[], ...values: number[]): Uint8Array => npyBytes(shape, f(...values));

async function read(name: string, bytes: Uint8Array, names: readonly string[] = NAMES) {
  const file = path.join(folder(), name);
  await writeFile(file, bytes);
  return readClassVectors(file, name, names);
}

describe('vectors of classes', () => {
  it('are rows of length 1, from each kind of file', async () => {
    const expected = f(0.6, 0.8, 0, 1);
    const stored = { dtype: 'float32', shape: [2, 2], data: f(3, 4, 0, 2) } as const;
    const half = { dtype: 'float16', shape: [2, 2], data: toHalfArray(stored.data) } as const;
    const files: [string, Uint8Array][] = [
      ['v.npy', npy([2, 2], 3, 4, 0, 2)],
      ['v.npz', zipSync({ 'v.npy': npy([2, 2], 3, 4, 0, 2) })],
      ['named.npz', zipSync({ 'bee.npy': npy([2], 0, 2), 'ant.npy': npy([2], 3, 4) })],
      ['v.safetensors', writeSafetensors({ tensors: new Map([['v', stored]]), metadata: {} })],
      ['half.safetensors', writeSafetensors({ tensors: new Map([['v', half]]), metadata: {} })],
    ];
    for (const [name, bytes] of files) expect((await read(name, bytes)).values).toEqual(expected);
  });

  it.each([
    ['v.npy', npy([3, 2], 1, 1, 1, 1, 1, 1), /a vector for each of the 2 classes of the data set, received 3 in v.npy/],
    ['v.npy', npy([2, 2], 1, 1, 0, 0), /other than zero for bee/],
    ['v.npy', npy([2, 2], 1, 1, NaN, 0), /other than zero for bee, received one of length NaN/],
    ['v.npz', zipSync({ 'ant.npy': npy([2], 1, 1), 'bea.npy': npy([2], 1, 1) }), /no vector for the class bee/],
    ['v.npz', zipSync({ 'ant.npy': npy([2], 1, 1), 'bee.npy': npy([3], 1, 1, 1) }), /received ant \[2\], bee \[3\]/],
    ['v.txt', f(1) as never, /ending in .npy, .npz or .safetensors, received v.txt/],
  ])('of %s that do not fit are refused by name (%#)', async (name, bytes, message) => {
    await expect(read(name, bytes)).rejects.toThrow(message);
  });

  it('make logits of an embedding: scale · cosine', async () => {
    const vectors = await read('v.npy', npy([2, 2], 3, 4, 0, 2));
    const embeds = (logits: Float32Array): Teacher =>
      ({ name: 'm', key: 'k', classes: 2, answer: () => Promise.resolve({ logits, features: {} }) }) as never;
    const { logits } = await zeroShot(embeds(f(0, 5)), vectors, 10).answer(f(0), 1);
    expect([...logits].map((one) => Number(one.toFixed(5)))).toEqual([8, 10]);
    const keys = [10, 20].map((scale) => zeroShot(embeds(f(0, 5)), vectors, scale).key);
    expect(keys[0]).not.toBe(keys[1]);
    expect(() => zeroShot({ ...embeds(f(0)), classes: 7 }, vectors)).toThrow(
      /embeds a sample in 7 numbers, expected 2/,
    );
  });
});

it('a model that embeds teaches by vectors of the classes, which its recipe names', async () => {
  await stripedPictures(path.join(folder(), 'pictures'), 30);
  await writeFile(path.join(folder(), 'embeds.onnx'), stripesTeacher(1, { embeds: true }));
  // Where the stripes of columns and rows lie, turned as the model turns them.
  await writeFile(path.join(folder(), 'vectors.npy'), npy([2, 2], 0.6, 0.8, -0.8, 0.6));
  const recipe = (change: object = {}) => ({
    name: 'embeds',
    dataset: { type: 'image-folder', train: 'pictures', resize: [6, 6], channels: 1, testFraction: 0.3 },
    teacher: { onnx: 'embeds.onnx', resize: [SIDE, SIDE], classes: 'vectors.npy', logitScale: 20, minAccuracy: 0.99, ...change },
    student: { model: 'mlp', hidden: [4] },
    distill: { epochs: 1, batchSize: 8 },
    ...QUICK,
  }); // prettier-ignore
  const { report } = await runRecipe(makeRecipe(recipe(), folder()), { out: folder(), existing: 'fresh' });
  expect(report.models.find(({ model }) => model.role === 'teacher')!.score.test).toBe(1);
  const alone = () => makeRecipe(recipe({ classes: ['columns', 'rows'] }), folder());
  expect(alone).toThrow(/logitScale/);
});
