import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dropEarlier, putBack, setAside } from '../../src/folder/replaced-run.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const place = (...names: string[]): string => path.join(folder(), ...names);
const FILES = ['exports/a.onnx', 'ledger.json', 'recipe.json', 'state/distill-000001.safetensors'];
const STAY = ['lock', 'soft-targets/x', 'state/teach-000001.safetensors'];

async function write(names: readonly string[], text: string): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(place(name)), { recursive: true });
    await writeFile(place(name), text);
  }
}

async function contents(): Promise<Record<string, string>> {
  const entries = await readdir(folder(), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(async (file) => [path.relative(folder(), file), await readFile(file, 'utf8')]),
  );
  return Object.fromEntries(texts.sort()) as Record<string, string>;
}

const run = Object.fromEntries([...FILES, ...STAY].sort().map((name) => [name, 'old']));

beforeEach(() => write([...FILES, ...STAY], 'old'));

it('is out of the way but for the lock and what belongs to a teacher, and comes back as it was', async () => {
  await setAside(folder());
  const seen = (await readdir(folder(), { recursive: true })).filter((name) => !name.startsWith('.earlier'));
  expect(seen.sort()).toEqual(['lock', 'soft-targets', 'soft-targets/x', 'state', 'state/teach-000001.safetensors']);
  await write(['recipe.json', 'ledger.json', 'log.jsonl', 'state/scratch-000001.safetensors'], 'new');
  expect(await putBack(folder())).toBe(true);
  expect(await contents()).toEqual(run);
  expect(await putBack(folder())).toBe(false);
});

it('is gone for good once the new run has done work', async () => {
  await setAside(folder());
  await write(['recipe.json'], 'new');
  await dropEarlier(folder());
  await dropEarlier(folder());
  expect(await putBack(folder())).toBe(false);
  expect(Object.keys(await contents())).toEqual([
    'lock',
    'recipe.json',
    'soft-targets/x',
    'state/teach-000001.safetensors',
  ]);
});

it.each([1, 2, 3])(
  'comes back whole if the process was killed after %i parts were moved away or back',
  async (moved) => {
    await mkdir(place('.earlier-moving/state'), { recursive: true });
    for (const name of ['exports', ...FILES.slice(1)].slice(0, moved))
      await rename(place(name), place('.earlier-moving', name));
    await putBack(folder());
    expect(await contents()).toEqual(run);
  },
);

it('does not come back in halves if the process was killed while it removed it', async () => {
  await setAside(folder());
  await rename(place('.earlier'), place('.earlier-gone'));
  await rm(place('.earlier-gone/recipe.json'));
  await write(['recipe.json'], 'new');
  expect(await putBack(folder())).toBe(false);
  expect((await contents())['recipe.json']).toBe('new');
  expect(await readdir(folder())).not.toContain('.earlier-gone');
});
