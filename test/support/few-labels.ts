import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { QUICK } from './digits.ts';

/** Two classes, or a number, that follow from two features; no label where `hasLabel` says so. */
export function table(rows: number, first: number, hasLabel: (i: number) => boolean = () => true): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [1, 2.3].map((step) => Math.sin(step * (first + i) + step)) as [number, number];
    const label = hasLabel(i) ? [a * b > 0.1 ? 'yes' : 'no', 20 + 3 * a - b] : ['', ''];
    return [a, b, ...label].join(',');
  });
  return `a,b,kind,size\n${lines.join('\n')}\n`;
}

export const TRAINING = { batchSize: 32, optimizer: { learningRate: 0.02 } };
export const CLASSES = { label: 'kind', ignore: ['size'] };
export const NUMBERS = { label: 'size', ignore: ['kind'], task: 'regression' };

/** Recipe of a table in `folder` with a teacher that is trained. */
export async function fewLabels(folder: string, dataset: object, change: object = {}) {
  await writeFile(path.join(folder, 'train.csv'), table(400, 0));
  await writeFile(
    path.join(folder, 'some.csv'),
    table(400, 0, (i) => i < 100 || i % 20 === 0),
  );
  await writeFile(path.join(folder, 'test.csv'), table(100, 400));
  const given = { type: 'csv', train: 'train.csv', test: 'test.csv', validation: 60, ...dataset };
  const made = {
    ...{ name: 'few', dataset: given, student: { model: 'mlp', hidden: [16] } },
    teacher: { train: { model: 'mlp', hidden: [32], epochs: 8, ...TRAINING } },
    distill: { epochs: 4, ...TRAINING },
    ...{ ...QUICK, ...change },
  };
  return makeRecipe(made, folder);
}
