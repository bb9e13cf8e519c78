import { readdir } from 'node:fs/promises';
import type { Diagnosis } from '../src/pipeline/doctor.ts';
import { limbeck, ROOT } from './support/built.ts';
import { temporaryFolder } from './support/folder.ts';
import { inProcess } from './support/in-process.ts';
import { writeData } from './support/tiny.ts';

const folder = temporaryFolder();

describe('limbeck', () => {
  it('shows its commands fast', async () => {
    await limbeck(folder(), '--help');
    const times = [];
    for (let i = 0; i < 5; i++) {
      const before = performance.now();
      const { code, stdout } = await limbeck(folder(), '--help');
      times.push(performance.now() - before);
      expect(code).toBe(0);
      for (const command of ['run', 'resume', 'validate', 'datasets', 'doctor', 'init'])
        expect(stdout).toContain(command);
    }
    // 150 ms on a quiet machine; tests share theirs.
    expect(Math.min(...times)).toBeLessThan(400);
  });

  it.each([
    [['rnu'], 'Did you mean run?'],
    [[], 'Name a command.'],
    [['run'], 'run: expected <recipe>, received too few arguments\nRun `limbeck run --help`.\n'],
    [['run', 'a.yaml', '--set'], '--set: expected a value, received none\n'],
    [['run', 'a.yaml', '--sett', 'x=1'], 'Unknown argument: sett'],
    [['schema', '--of', 'cake'], '--of: expected one of recipe, report, received "cake"\n'],
    [['run', 'a.yaml', '--fresh', '--resume'], '--fresh and --resume: expected one of them, received both'],
    [['run', 'a.yaml', '--quiet', '--verbose'], 'mutually exclusive'],
  ])('%j ends with exit code 1 and two lines', async (args, message) => {
    // One of them as a process: the shell is given the same code and lines.
    const { code, stderr } = await (args[0] === 'rnu' ? limbeck : inProcess)(folder(), ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('prints the JSON Schema of recipes and reports', async () => {
    const recipe = JSON.parse((await inProcess(folder(), 'schema')).stdout) as {
      properties: Record<string, { description: string }>;
    };
    expect(recipe.properties['distill']!.description).toBe('Training of the student.');
    expect(JSON.parse((await inProcess(folder(), 'schema', '--of', 'report')).stdout)).toHaveProperty(
      'properties.verdict',
    );
  });

  it('lists data sets with sizes and classes, and checks their files', async () => {
    const { stdout } = await inProcess(ROOT, 'datasets');
    expect(stdout).toMatch(/fashion-mnist +60000 +10000 +10 +28x28x1/);
    const { code } = await inProcess(ROOT, 'datasets', '--json');
    expect(code).toBe(0);
  });

  it('checks the data sets that are here, and lets those be that were never fetched', async () => {
    const { code, stdout, stderr } = await inProcess(ROOT, 'datasets', '--verify');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/mnist .*not here[^]*all files that are here are right\n$/);
  });

  it('says what a folder without data sets lacks', async () => {
    const { code, stderr } = await inProcess(folder(), 'datasets');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^datasets: expected a folder with an index\.json .*\nName/),
    ]);
  });

  it('says what this machine has', async () => {
    const { stdout, code } = await inProcess(folder(), 'doctor', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      engine: 'onnxruntime',
      engines: [{ name: 'onnxruntime', usable: true }, { name: 'tensorflow' }],
      versions: { node: process.versions.node, 'onnxruntime-node': '1.30.0' },
    });
    const { devices } = JSON.parse(stdout) as Diagnosis;
    expect(devices[0]).toMatchObject({ name: 'cpu', usable: true, float16: 'emulated' });
    for (const { usable, float16 } of devices.slice(1))
      expect(float16 ?? 'absent').toMatch(usable ? /^(yes|no: .+)$/ : 'absent');
    const text = (await inProcess(folder(), 'doctor')).stdout;
    expect(text).toMatch(/engine +onnxruntime on /);
    expect(text).toContain('float16 (precision: mixed): emulated');
  });

  it('lists models', async () => {
    expect((await inProcess(folder(), 'inspect', '--models')).stdout).toMatch(/^ds-cnn: .*\n {4}width \(1\): /m);
  });
});

describe('limbeck init', () => {
  it('writes a recipe that is right, and does not replace one', async () => {
    await writeData(folder());
    const made = await inProcess(folder(), 'init', 'new.yaml', '--type', 'csv', '--train', 'data.csv');
    expect(made).toMatchObject({ code: 0 });
    expect(await inProcess(folder(), 'validate', '--data', 'new.yaml')).toMatchObject({
      code: 0,
      stdout: 'new.yaml: right: 162 train, 18 validation, 20 test, 2 classes\n',
    });
    const again = await inProcess(folder(), 'init', 'new.yaml', '--type', 'csv', '--train', 'data.csv');
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain('this file exists');
  });

  it.each([
    [
      'data that is not there',
      ['--type', 'csv', '--train', 'gone.csv'],
      /received gone\.csv, which is not there\nPaths in a recipe/,
    ],
    [
      'an unknown model',
      ['--type', 'csv', '--train', 'data.csv', '--model', 'mlpp'],
      /student\.model: .*\nDid you mean mlp\?/,
    ],
    ['an unknown type', ['--train', 'data.csv', '--type', 'foo'], /dataset\.type: expected one of idx, csv/],
  ])('refuses %s and writes nothing', async (_name, args, message) => {
    await writeData(folder());
    const { code, stderr } = await inProcess(folder(), 'init', ...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(await readdir(folder())).toEqual(['data.csv']);
  });

  it('says what is missing where nobody can answer', async () => {
    const { code, stderr } = await inProcess(folder(), 'init', '--type', 'idx', '--train', 'a');
    expect([code, stderr]).toEqual([
      1,
      'init: --labels is missing\nGive it on the command line; without a terminal nothing can be asked.\n',
    ]);
    expect(await readdir(folder())).toEqual([]);
  });
});
