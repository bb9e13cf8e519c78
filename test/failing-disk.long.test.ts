import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { limbeck, start } from './support/built.ts';
import { temporaryFolder } from './support/folder.ts';

const folder = temporaryFolder();

/** Makes the file system fail for files whose path has `part`, from the `after`-th time on. */
const failing = (part: string, code: string, after: number): string => `
  import fsp from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  import { dirname } from 'node:path';
  let calls = 0;
  const fail = () => { throw Object.assign(new Error('${code}: as if'), { code: '${code}' }); };
  const { open, mkdir } = fsp;
  fsp.open = async (file, ...more) => {
    const handle = await open(file, ...more);
    if (String(file).includes('${part}') && ++calls > ${after}) handle.writeFile = async () => fail();
    return handle;
  };
  // As Linux and node have it: the parent that is missing is said first, and by \`recursive\` alone.
  if ('${code}' === 'EROFS') fsp.mkdir = async (file, options) => {
    const isThere = await fsp.stat(dirname(String(file))).then(() => true, () => false);
    if (options?.recursive || !isThere) throw Object.assign(new Error('ENOENT: as if'), { code: 'ENOENT' });
    fail();
  };
  syncBuiltinESMExports();
`;

describe('a file system that fails', () => {
  // Something that a teacher learns to be better than chance at, whichever samples are held out.
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 11},${i < 20 ? 'yes' : 'no'}`);
  const teacher = 'teacher: { train: { model: mlp, epochs: 20, batchSize: 4 } }';
  const recipe = `name: r\ndataset: { type: csv, train: d.csv, testFraction: 0.2 }\n${teacher}\nstudent: { model: mlp, hidden: [4] }\ndistill: { epochs: 40, batchSize: 4 }\nreport: { latency: { seconds: 0 } }\n`;

  beforeEach(async () => {
    await writeFile(path.join(folder(), 'd.csv'), `a,b,label\n${rows.join('\n')}\n`);
    await writeFile(path.join(folder(), 'r.yaml'), recipe);
  });

  it('full in the middle of a run: what was saved stays, and the run goes on to its end when there is space', async () => {
    // Long enough for several saves, which are at least twenty times as far apart as one takes.
    const args = ['run', 'r.yaml', '--save-every=0.01', '--set', 'distill.epochs=1000'];
    const { code, stderr } = await start(folder(), args, failing('/state/.distill', 'ENOSPC', 1)).finished;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/distill-\d+\.safetensors: cannot write it: ENOSPC\nFree some disk space/),
    ]);
    const left = await readdir(path.join(folder(), 'checkpoints/r/state'));
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const again = await limbeck(folder(), ...args);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/distilling the student, from step \d+/);
  });

  it('full while a kit is written: nothing of it stays, and the same command goes when there is space', async () => {
    expect(await limbeck(folder(), 'run', 'r.yaml')).toMatchObject({ code: 0 });
    const args = ['export', 'r', '--kit', 'kit'];
    const { code, stderr } = await start(folder(), args, failing('.limbeck-files-', 'ENOSPC', 3)).finished;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^kit\/.*: cannot write it: ENOSPC\nFree some disk space/),
    ]);
    expect((await readdir(folder())).sort()).toEqual(['checkpoints', 'd.csv', 'r.yaml']);
    expect(await limbeck(folder(), ...args)).toMatchObject({ code: 0 });
  });

  it('read-only: nothing is made', async () => {
    const { code, stderr } = await start(folder(), ['run', 'r.yaml'], failing('nothing', 'EROFS', 0)).finished;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/cannot write it: EROFS\nThat file system is read-only/)]);
    await expect(stat(path.join(folder(), 'checkpoints'))).rejects.toThrow(/ENOENT/);
  });

  it('a saved state that is damaged: the one before is used, with a warning', async () => {
    const { child, finished, output } = start(folder(), [
      'run',
      'r.yaml',
      '--save-every=0.01',
      '--set',
      'distill.epochs=4000',
      '--set',
      'baseline=false',
    ]);
    while (!/distilling the student[^]* epoch 1/.test(output()))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const state = path.join(folder(), 'checkpoints/r/state');
    const saved = async () => (await readdir(state)).filter((name) => name.startsWith('distill-')).sort();
    while ((await saved()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await finished;
    const newest = (await saved()).at(-1)!;
    const bytes = await readFile(path.join(state, newest));
    // In the tensors, which lie at the end.
    bytes[bytes.length - 5]! ^= 1;
    await writeFile(path.join(state, newest), bytes);
    const resumed = start(folder(), ['resume', 'r']);
    while (!/distilling the student/.test(resumed.output())) await new Promise((resolve) => setTimeout(resolve, 20));
    resumed.child.kill('SIGINT');
    expect((await resumed.finished).stdout).toMatch(
      /warning: .*damaged: its checksum does not fit its content; the one before it is used[^]*, from step \d+/,
    );
  });
});
