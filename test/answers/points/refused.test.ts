import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pointsOfCsv } from '../../../src/answers/points/csv.ts';
import { pointsForm } from '../../../src/answers/points/form.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { userError } from '../../data/support.ts';

const folder = temporaryFolder();

it.each([
  ['an odd count of numbers', 'file,a_x,a_y\np.png,1\n', ':2: 2 values, and the first line has 3 columns'],
  ['a visibility of 3', 'file,a_x,a_y,a_v\np.png,1,2,3\n', ':2: the visibility of a is 3, expected 0 (absent), 1 (hidden) or 2 (visible)'], // prettier-ignore
  ['x without y', 'file,a_x,a_y\np.png,1,\n', ':2: the point a has x and no y'],
  ['a point without a column', 'file,a_x\np.png,1\n', ':1: the point a has no column a_y'],
  ['a box without points', 'file,xmin,ymin,xmax,ymax\np.png,1,1,2,2\n', ':1: there is no column of a point'],
])('a CSV file with %s is refused with its line', async (_, text, message) => {
  const file = path.join(folder(), 'p.csv');
  await writeFile(file, text);
  const error = await userError(pointsOfCsv(file));
  expect(error.message).toBe(`${file}${message}`);
  expect(error.hint).not.toBe('');
});

it('a skeleton with an unknown point, and a flip without pairs, are refused', async () => {
  const named = { file: 'p.csv', names: ['a', 'b'] };
  const options = { part: 'train' } as const;
  const skeleton = await userError(() => pointsForm(named, { ...options, skeleton: [['a', 'c']] }));
  expect([skeleton.message, skeleton.hint]).toEqual([
    'dataset.skeleton: there is no point "c"',
    'The points are a, b.',
  ]);
  const flip = await userError(() => pointsForm(named, { ...options, augment: [{ flip: 'horizontal' }] }));
  expect(flip.message).toContain('dataset.flipPairs: expected the pairs of points');
});
