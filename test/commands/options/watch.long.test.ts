// Needs the features prometheus and tensorboard.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { limbeck, ROOT, start } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

beforeEach(async () => {
  const recipe = `name: long
dataset: { type: csv, train: ${path.join(ROOT, 'datasets/digits/train.csv')}, label: digit, testFraction: 0.1 }
student: { model: mlp, hidden: [8] }
distill: { epochs: 20000 }
`;
  await writeFile(path.join(folder(), 'long.yaml'), recipe);
});

it('--metrics serves a training while its steps run, and --tensorboard writes its curves', async () => {
  const { child, finished, output } = start(folder(), ['run', 'long.yaml', '--metrics', '0', '--tensorboard']);
  const value = async (name: string): Promise<number | undefined> => {
    const url = /metrics at (\S+)/.exec(output())?.[1];
    const text = url === undefined ? '' : await (await fetch(url)).text();
    const [, number] = new RegExp(`^${name}\\{stage="scratch".*?\\} (\\S+)$`, 'm').exec(text) ?? [];
    return number === undefined ? undefined : Number(number);
  };
  const until = async (isDone: () => Promise<boolean>): Promise<void> => {
    while (!(await isDone())) {
      expect(child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await until(async () => ((await value('limbeck_epoch')) ?? 0) > 1);
  const steps = (await value('limbeck_steps_done'))!;
  await until(async () => (await value('limbeck_steps_done'))! > steps);
  expect(await value('limbeck_loss')).toBeGreaterThan(0);
  expect(await value('limbeck_step_seconds')).toBeGreaterThan(0);
  child.kill('SIGTERM');
  expect((await finished).code).toBe(143);
  const place = path.join(folder(), 'checkpoints/long/tensorboard/scratch');
  const [file] = await readdir(place);
  expect(await readFile(path.join(place, file!), 'latin1')).toContain('epoch/loss');
});

it.each([
  ['70000', '--metrics: expected a port from 0 to 65535, received 70000'],
  ['x', '--metrics: expected a number, received "x"'],
])('--metrics %s is refused before anything is made', async (port, message) => {
  const { code, stderr } = await limbeck(folder(), 'run', 'long.yaml', '--metrics', port);
  expect([code, stderr.split('\n')[0]]).toEqual([1, message]);
  expect(await readdir(folder())).toEqual(['long.yaml']);
});
