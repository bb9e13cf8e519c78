import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenTask } from '../../../src/tools/init/task.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

async function seen(lines: readonly string[], label?: string | string[], head = 'a,b,label') {
  const train = path.join(folder(), 'train.csv');
  await writeFile(train, `${[head, ...lines].join('\n')}\n`);
  return seenTask({ type: 'csv', train, label });
}
const rows = (of: (i: number) => string, count = 60): string[] =>
  Array.from({ length: count }, (_, i) => `${i},${i / 7},${of(i)}`);

describe('the task that labels look like', () => {
  it.each<[string, (i: number) => string, object]>([
    ['words', (i) => ['cat', 'dog'][i % 2]!, { task: 'classification' }],
    ['few whole numbers', (i) => String(i % 10), { task: 'classification' }],
    ['few numbers written with a point', (i) => (i % 3).toFixed(1), { task: 'classification' }],
    ['many whole numbers', (i) => String(7 * i), { task: 'regression', why: 'label holds 60 different numbers' }],
    ['fractions', (i) => String((i % 12) / 8), { task: 'regression', why: 'label holds 12 different numbers' }],
    ['lists of words', (i) => ['sea|sun', 'sun', ''][i % 3]!, { task: 'multi-label', why: 'label lists labels' }],
    ['lists of numbers', (i) => `${i}|${i / 2}`, { task: 'regression', why: 'label lists numbers' }],
  ])('is told from %s', async (_name, of, task) => {
    expect(await seen(rows(of))).toEqual(task);
  });

  it('is told from several columns', async () => {
    const head = 'a,b,warm,wet';
    const bits = rows((i) => `${i % 2},${Number(i % 3 === 0)}`);
    expect(await seen(bits, ['warm', 'wet'], head)).toEqual({ task: 'multi-label', why: 'warm, wet hold 0 and 1' });
    expect(await seen(bits, 'wet', head)).toEqual({ task: 'classification', bits: ['warm', 'wet'] });
    const numbers = rows((i) => `${i},${i / 2}`);
    expect(await seen(numbers, ['warm', 'wet'], head)).toEqual({ task: 'regression', why: 'warm, wet hold numbers' });
  });
});
