import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sha256 } from '../../src/base/bytes.ts';
import { CheckpointStore } from '../../src/folder/states/checkpoint.ts';
import type { Report } from '../../src/report/types.ts';
import { limbeck, ROOT, start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { ofToday } from '../support/today.ts';

const folder = temporaryFolder();

/** Two repeats, each a twin and a student: four trainings, of a second or two where `epochs` is 400. */
async function recipe(change = '', epochs = 40): Promise<string> {
  const file = path.join(folder(), 'r.yaml');
  const text = `
name: r
repeats: 2
dataset: { type: csv, train: ${ROOT}/datasets/digits/train.csv, test: ${ROOT}/datasets/digits/test.csv, label: digit, shape: [8, 8, 1], normalize: { mean: 0, std: 16 }, limit: 300 }
teacher: { train: { model: mlp, hidden: [32], epochs: 8, batchSize: 50, optimizer: { learningRate: 0.02 } } }
student: { model: mlp, hidden: [12] }
distill: { epochs: ${epochs}, batchSize: 20, optimizer: { learningRate: 0.01 }${change === '' ? '' : `, ${change}`} }
report: { latency: { seconds: 0 } }
`;
  await writeFile(file, text);
  return file;
}

async function exportsOf(out: string): Promise<string[]> {
  const of = path.join(folder(), out, 'r/exports');
  const names = (await readdir(of)).sort();
  return Promise.all(names.map(async (name) => `${name} ${sha256(await readFile(path.join(of, name)))}`));
}

/** Seconds that the last saved state of a training says its teacher took. */
async function teacherSecondsOf(run: string, stage: string): Promise<number> {
  const state = await new CheckpointStore(run, console.warn).load(stage);
  return (JSON.parse(state!.metadata['progress']!) as { teacherSeconds: number }).teacherSeconds;
}

/** Processes that train for a run in this folder. */
function helpers(out: string): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  const own = lines.filter((line) => line.includes('at-once-process') && line.includes(path.join(folder(), out)));
  return own.map((line) => Number.parseInt(line, 10));
}

/** The run in `out`, and a moment in which another process trains beside it. */
async function begun(file: string, out: string) {
  const run = start(folder(), ['run', file, '--set', 'jobs=2', '--save-every=0.05', '--out', path.join(folder(), out)]);
  while (!run.output().includes('at the same time')) await wait(20);
  return run;
}

describe('students that are trained at once', () => {
  const cases = [
    ['by stored answers', ''],
    ['by a teacher that is asked at every step', 'softTargets: { store: live }'],
    ['by a loss that the race chooses', 'loss: auto, race: { losses: [kd, dkd], rounds: 1 }'],
    ['without a class', "leaveOut: { classes: ['3'] }"],
  ] as const;
  it.each(ofToday(cases, 2))('%s are those of one after another', async (_how, change) => {
    const file = await recipe(change);
    expect(await limbeck(folder(), 'run', file, '--out', 'alone')).toMatchObject({ code: 0 });
    const { code, stdout } = await limbeck(folder(), 'run', file, '--set', 'jobs=3', '--out', 'three');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^4 trainings, 3 at once on \d+ threads? each$/m);
    expect(stdout.match(/^at the same time: /gm)!.length).toBeGreaterThan(0);
    expect(await exportsOf('three')).toEqual(await exportsOf('alone'));
    const ledger = await readFile(path.join(folder(), 'three/r/ledger.json'), 'utf8');
    const stages = (JSON.parse(ledger) as { rows: { stage: string }[] }).rows.map(({ stage }) => stage);
    expect(stages.filter((stage) => /^(scratch|distill)(-2)?$/.test(stage))).toEqual([
      'scratch',
      'distill',
      'scratch-2',
      'distill-2',
    ]);
    expect(helpers('three')).toEqual([]);
  });

  it('have the time of a teacher that is asked at every step counted in all processes, and over all starts', async () => {
    const file = await recipe('softTargets: { store: live }', 400);
    const stopped = await begun(file, 'many');
    stopped.child.kill('SIGINT');
    await stopped.finished;
    expect(await limbeck(folder(), 'run', file, '--set', 'jobs=2', '--out', 'many')).toMatchObject({ code: 0 });
    const run = path.join(folder(), 'many/r');
    const { teacher } = JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8')) as Report;
    const took = await Promise.all(['distill', 'distill-2'].map((stage) => teacherSecondsOf(run, stage)));
    for (const seconds of took) expect(seconds).toBeGreaterThan(0);
    expect(teacher!.seconds).toBeCloseTo(took[0]! + took[1]!, 6);
  });

  it('go on where they were stopped, killed or lost their helper, and leave no process behind', async () => {
    const file = await recipe('', 400);
    expect(await limbeck(folder(), 'run', file, '--out', 'alone')).toMatchObject({ code: 0 });

    const stopped = await begun(file, 'many');
    stopped.child.kill('SIGINT');
    expect((await stopped.finished).stderr).toMatch(/stopped (scratch|distill)(-2)? after step \d+ of/);
    expect(helpers('many')).toEqual([]);

    const bereft = await begun(file, 'many');
    for (const pid of helpers('many')) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await bereft.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/the process that trained (scratch|distill)(-2)? ended: SIGKILL/);

    const killed = await begun(file, 'many');
    expect(helpers('many')).toHaveLength(1);
    killed.child.kill('SIGKILL');
    await killed.finished;
    for (let tries = 0; helpers('many').length > 0 && tries < 100; tries++) await wait(100);
    expect(helpers('many')).toEqual([]);

    // Without jobs: they change nothing that a run could not go on with.
    expect(await limbeck(folder(), 'run', file, '--out', 'many')).toMatchObject({ code: 0 });
    expect(await exportsOf('many')).toEqual(await exportsOf('alone'));
  });

  it('end with the error of any of them', async () => {
    const file = await recipe('', 40);
    const { code, stderr } = await limbeck(
      folder(),
      ...['run', file, '--set', 'jobs=2', '--set', 'distill.optimizer={type: sgd, learningRate: 1e30}', '--out', 'bad'],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/the loss is (NaN|Infinity)/);
    expect(stderr).toContain('Lower optimizer.learningRate');
    expect(helpers('bad')).toEqual([]);
  });
});
