import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../../src/base/files.ts';
import type { OnEvent } from '../../../src/base/events.ts';
import { processesOf } from '../../../src/run/processes/processes.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { played } from '../../support/played.ts';

const folder = temporaryFolder();

const recipe = (change: object = {}) =>
  makeRecipe({
    name: 'r',
    dataset: { type: 'csv', train: 'data.csv', testFraction: 0.2 },
    student: { model: 'mlp' },
    ...change,
  });

const run = (size: number, change: (rank: number) => object = () => ({})) =>
  played(size, (group) =>
    processesOf(group).run(
      (given, { out }) => Promise.resolve({ folder: out, report: given.recipe.seed } as never),
      recipe(change(group.rank)),
      { out: folder() },
    ),
  );

describe('a run of several processes', () => {
  it('has its folder in the first; the others work elsewhere', async () => {
    const folders = (await run(3)).map((result) => result.folder);
    expect(folders[0]).toBe(folder());
    expect(new Set(folders).size).toBe(3);
  });

  it('says how many processes share the work', async () => {
    const said: string[] = [];
    await played(3, (group) => {
      const onEvent: OnEvent = (event) => {
        if (event.type === 'message' && group.rank === 0) said.push(event.message);
      };
      const work = () => Promise.resolve({ folder: '', report: undefined } as never);
      return processesOf(group).run(work, recipe({ shards: 4 }), { out: folder(), onEvent });
    });
    expect(new Set(said)).toEqual(
      new Set(['3 processes share the work, 3 of them on this machine: each batch is cut into 4 parts']),
    );
  });

  it('begins in each with all that lies there, afresh too: a fresh start keeps the teacher and its answers', async () => {
    const there = [
      'r/soft-targets/a',
      'r/state/teach-000001.safetensors',
      'r-race/done/race-1-1.json',
      'r-repeats/1/b',
    ];
    for (const file of [...there, 'r/lock']) await writeFileAtomic(path.join(folder(), file), 'x');
    const filesIn = async (out: string): Promise<string[]> => {
      const found = await readdir(out, { recursive: true, withFileTypes: true });
      const files = found.filter((entry) => entry.isFile() && entry.name !== 'lock');
      return files.map((entry) => path.relative(out, path.join(entry.parentPath, entry.name))).sort();
    };
    const seen = played(2, (group) =>
      processesOf(group).run(
        async (_, { out }) => ({ folder: out!, report: (await filesIn(out!)) as never }),
        recipe(),
        {
          out: folder(),
          existing: 'fresh',
        },
      ),
    );
    expect((await seen).map(({ report }) => report)).toEqual([[...there].sort(), [...there].sort()]);
  });

  it.each([
    ['another recipe', (rank: number) => ({ seed: rank }), /process 1 of 2 has another recipe than process 0/],
    ['a search, which measures time', () => ({ target: { p95Ms: 1 } }), /target: a search by latency/],
  ])('refuses %s', async (_, change, message) => {
    await expect(run(2, change)).rejects.toThrow(message);
  });

  it('says the first process that has something else', async () => {
    const same = (texts: readonly string[]) =>
      played(texts.length, (group) =>
        Promise.resolve().then(() => processesOf(group).requireSame('data', () => texts[group.rank]!)),
      );
    await expect(same(['a', 'a', 'b', 'b'])).rejects.toThrow(/process 2 of 4 has another data than process 0/);
    await expect(same(['a', 'a'])).resolves.toHaveLength(2);
  });
});
