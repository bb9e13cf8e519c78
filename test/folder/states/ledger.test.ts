import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Ledger } from '../../../src/folder/states/ledger.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();
const row = (stage: string, params: number) => ({ stage, seconds: 1.5, figures: { params }, notes: {} });

describe('the ledger', () => {
  it('keeps one row per stage, in order, over processes', async () => {
    const ledger = await Ledger.open(folder(), fail);
    await ledger.add(row('teach', 1));
    await ledger.add(row('distill', 2));
    await ledger.add(row('teach', 3));
    const again = await Ledger.open(folder(), fail);
    expect(again.rows).toEqual([row('teach', 3), row('distill', 2)]);
    expect(again.find('distill')).toEqual(row('distill', 2));
    expect(again.find('prune')).toBeUndefined();
  });

  it.each([
    ['a changed figure', (text: string) => text.replace('"params": 2', '"params": 3')],
    ['half of it', (text: string) => text.slice(0, text.length / 2)],
    ['nothing', () => ''],
  ])('with %s is put aside with a warning', async (_name, damage) => {
    await (await Ledger.open(folder(), fail)).add(row('distill', 2));
    const file = path.join(folder(), 'ledger.json');
    await writeFile(file, damage(await readFile(file, 'utf8')));
    const warnings: string[] = [];
    expect((await Ledger.open(folder(), (warning) => warnings.push(warning))).rows).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('ledger.json: damaged')]);
  });
});

function fail(message: string): never {
  throw new Error(`unexpected warning: ${message}`);
}
