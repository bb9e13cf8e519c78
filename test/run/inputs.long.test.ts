import { copyFile, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { readSealed } from '../../src/files/safetensors-file.ts';
import { seal } from '../../src/formats/sealed.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { runRecipe } from '../../src/run/run.ts';
import { repeatShard } from '../../src/run/shards/repeats.ts';
import { tinyRuns } from '../support/tiny-runs.ts';

const { folder, made } = tinyRuns();
const at = (name: string): string => path.join(folder(), name);

const follow = (change: object = {}, options: RunOptions = {}) =>
  runRecipe(made(change), { out: folder(), ...options });

/** A run that is stopped in the training of its student. */
async function stopped(change: object = {}): Promise<void> {
  const stop = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch' && event.stage === 'distill') stop.abort();
  };
  await expect(follow(change, { onEvent, signal: stop.signal })).rejects.toThrow('stopped distill');
}

/** The last byte of a file changed, its size kept. */
async function changeLast(name: string): Promise<void> {
  const bytes = await readFile(at(name));
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(at(name), bytes);
}

describe('a run whose files have changed in place', () => {
  it('does not go on with other weights of its teacher, which lie beside the file that is named', async () => {
    await stopped();
    await changeLast('teacher/weights.bin');
    const again = follow();
    await expect(again).rejects.toThrow(/teacher\.tfjs: \S+model\.json has changed since this run began$/);
    await expect(again).rejects.toMatchObject({ hint: expect.stringContaining('--fresh') as string });
    await expect(follow({}, { existing: 'fresh' })).resolves.toMatchObject({ report: { status: 'complete' } });
  });

  it('does not go on with other samples, and does with the same ones in a file that was written again', async () => {
    await stopped();
    const text = await readFile(at('data.csv'), 'utf8');
    await writeFile(at('data.csv'), text.replace('-0', '-1'));
    await expect(follow()).rejects.toThrow(
      /dataset\.train: \S+data\.csv gives other samples than at the beginning of this run$/,
    );
    await writeFile(at('data.csv'), text);
    await utimes(at('data.csv'), 1, 1);
    await expect(follow()).resolves.toMatchObject({ report: { status: 'complete' } });
    // Of a run that is finished too, which keeps the time of the same samples: they are read at one start.
    await utimes(at('data.csv'), 2, 2);
    await follow();
    expect(await readFile(at('r/inputs.json'), 'utf8')).toMatch(/"dataset\.train": "\d+ 2000"/);
    // Its report is not of these.
    await writeFile(at('data.csv'), text.replace('-0', '-1'));
    await expect(follow()).rejects.toThrow(/gives other samples than at the beginning of this run$/);
  });

  it('says that nothing tells it where its notes of them are damaged', async () => {
    await stopped();
    await writeFile(at('r/inputs.json'), '{"files": 3}');
    const said: string[] = [];
    await follow({}, { onEvent: (event) => event.type === 'warning' && said.push(event.message) });
    expect(said.join('\n')).toMatch(/inputs\.json: damaged: whether data/);
  });
});

it('a repeat that a shard has trained from other stored logits is not taken, and damaged ones are refused', async () => {
  const asked = await follow({ name: 'asked' });
  const store = path.join(asked.folder, 'soft-targets');
  await copyFile(path.join(store, (await readdir(store))[0]!), at('answers.safetensors'));
  const change = { teacher: { logits: 'answers.safetensors' }, repeats: 2 };
  await repeatShard(made(change), { index: 0, count: 2 }, { out: folder() });
  const { tensors, metadata } = await readSealed(at('answers.safetensors'));
  await changeLast('answers.safetensors');
  await expect(follow(change)).rejects.toThrow(/answers\.safetensors: damaged: its checksum does not fit its content/);
  await writeFile(at('answers.safetensors'), seal({ tensors, metadata: { ...metadata, seconds: '1' } }));
  await expect(follow(change)).rejects.toThrow(/1.repeat\.json: trained by another recipe, student, teacher, data/);
});
