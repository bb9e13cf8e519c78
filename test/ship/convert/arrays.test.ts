import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TensorType } from '../../../src/graph/types.ts';
import { countOf } from '../../../src/convert/rows.ts';
import { arraysFor } from '../../../src/ship/convert/arrays.ts';
import { npyBytes } from '../../support/npy.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const weights = new Map<string, TensorType>([['weights', { dtype: 'float32', shape: [3] }]]);

function saved(shape: readonly number[]): string {
  const file = path.join(folder(), 'samples.npy');
  writeFileSync(
    file,
    npyBytes(
      shape,
      Float32Array.from({ length: 12 }, (_, i) => i),
    ),
  );
  return file;
}

it.each([[[12]], [[4, 3]]])('takes an array %j for four calls of an input [3]', async (shape) => {
  const all = await arraysFor(saved(shape), weights);
  expect(all.get('weights')!.shape).toEqual([12]);
  expect(countOf(weights, all)).toBe(4);
});

it('refuses an array of another width', async () => {
  await expect(arraysFor(saved([3, 4]), weights)).rejects.toThrow('expected an array [samples], received [3, 4]');
});
