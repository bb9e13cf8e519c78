import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LOSSES, lossNumbers, lossOptions } from '../../src/recipe/schema/loss.ts';
import type { LossName } from '../../src/recipe/schema/loss.ts';

const names = Object.keys(LOSSES) as LossName[];

/** The table of docs/losses.md, from the definitions that the schema is made of. */
function table(): string {
  const rows = names.map((name) => {
    const numbers = Object.entries(lossOptions(name)).map(([key, usual]) => `\`${key}\` ${usual}`);
    const features = 'features' in LOSSES[name].options ? ['`features`, a list of pairs'] : [];
    const strong = 'strong' in LOSSES[name].options ? ['`strong`, a list of random changes'] : [];
    const peer = 'peer' in LOSSES[name].options ? ['`peer`, a model with its options'] : [];
    return [`\`${name}\``, LOSSES[name].doc, [...numbers, ...features, ...strong, ...peer].join(', ')];
  });
  const all = [['loss', 'what it is', 'options and defaults'], ...rows];
  const [head, ...body] = all.map((cells) => `| ${cells.join(' | ')} |`);
  return [head, '| --- | --- | --- |', ...body].join('\n');
}

it('docs/losses.md has the table of the losses', async () => {
  const text = await readFile(path.resolve(import.meta.dirname, '../../docs/losses.md'), 'utf8');
  const compact = text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
  expect(compact).toContain(table().replaceAll('|  |', '| |'));
});

it('takes numbers that are given and defaults for the others', () => {
  expect(lossNumbers('dkd', { temperature: 2, features: [], epochs: 3 })).toEqual({
    ...{ temperature: 2, alpha: 0.5 },
    ...{ targetWeight: 1, nonTargetWeight: 8 },
  });
});
