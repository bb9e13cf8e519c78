import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Diagnosis } from '../src/tools/doctor.ts';
import { limbeck, ROOT, start } from './support/built.ts';
import { temporaryFolder } from './support/folder.ts';
import { inProcess } from './support/in-process.ts';
import { writeData, writeRecipe } from './support/tiny.ts';

const folder = temporaryFolder();

describe('limbeck', () => {
  it('fits what it says of each command into 80 columns', async () => {
    const { stdout: all } = await limbeck(folder(), '--help');
    // `completion --help` prints the script.
    const commands = [...new Set(all.match(/(?<=^ {2}limbeck )(?!completion)[a-z]+/gm))];
    expect(commands.length).toBeGreaterThan(15);
    const texts = [all];
    for (const command of commands) texts.push((await limbeck(folder(), command, '--help')).stdout);
    expect(texts.filter((text) => !text.startsWith('limbeck'))).toEqual([]);
    expect(texts.flatMap((text) => text.split('\n').filter((line) => line.length > 80))).toEqual([]);
    // UPDATE_DOCS=1 writes the page anew.
    const parts = commands.map((command, i) => `## ${command}\n\n\`\`\`text\n${texts[i + 1]!.trim()}\n\`\`\`\n`);
    const page = `# All commands\n\n\`\`\`text\n${all.trim()}\n\`\`\`\n\n${parts.join('\n')}`;
    const file = path.join(ROOT, 'docs/commands.md');
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(file, page);
    else expect(await readFile(file, 'utf8')).toBe(page);
  });

  it('after Ctrl-C or SIGTERM stops a command that has nothing to save at once', async () => {
    await writeData(folder());
    await writeRecipe(folder());
    // 64 GB of holes, which take half a minute to read; the first recipe's line says that the second one's turn has come.
    await writeFile(path.join(folder(), 'endless.csv'), '');
    await truncate(path.join(folder(), 'endless.csv'), 64e9);
    const recipe = await readFile(path.join(folder(), 'tiny.yaml'), 'utf8');
    await writeFile(path.join(folder(), 'endless.yaml'), recipe.replace('data.csv', 'endless.csv'));
    const ends = (['SIGINT', 'SIGTERM'] as const).map(async (signal) => {
      const { child, finished, output } = start(folder(), ['validate', 'tiny.yaml', 'endless.yaml', '--data']);
      while (!output().includes('tiny.yaml: right')) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill(signal);
      return finished;
    });
    expect(await Promise.all(ends)).toMatchObject(['SIGINT', 'SIGTERM'].map((signal) => ({ signal, stderr: '' })));
  });

  it('is ended by SIGTERM also where such a command computes and hears of nothing', async () => {
    // A reader without an end, as of an archive that leads back to its own start.
    const busy = `import fsp from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
const { open } = fsp;
fsp.open = async (file, ...more) => { if (String(file).endsWith('data.csv')) { process.stdout.write('busy'); for (;;); } return open(file, ...more); };
syncBuiltinESMExports();`;
    await writeData(folder());
    await writeRecipe(folder());
    const { child, finished, output } = start(folder(), ['validate', 'tiny.yaml', '--data'], busy);
    while (!output().includes('busy')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGTERM');
    expect(await finished).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('says what this machine has', async () => {
    const { stdout, code } = await inProcess(folder(), 'doctor', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      engine: 'onnxruntime',
      engines: [{ name: 'onnxruntime', usable: true }, { name: 'tensorflow' }],
      versions: { node: process.versions.node, 'onnxruntime-node': '1.30.0' },
    });
    // As a process: libraries write past the program.
    expect(await limbeck(folder(), 'doctor', '--json')).toMatchObject({ code: 0, stderr: '' });
    const { devices } = JSON.parse(stdout) as Diagnosis;
    expect(devices[0]).toMatchObject({ name: 'cpu', usable: true, float16: 'emulated' });
    for (const { usable, float16 } of devices.slice(1))
      expect(float16 ?? 'absent').toMatch(usable ? /^(yes|no: .+)$/ : 'absent');
    const text = (await inProcess(folder(), 'doctor')).stdout;
    expect(text).toMatch(/engine +onnxruntime on /);
    expect(text).toContain('float16 (precision: mixed): emulated');
  });
});

describe('limbeck run', () => {
  beforeEach(async () => {
    await writeData(folder());
    await writeRecipe(folder());
  });

  it('goes from recipe to report, and shows the same report when asked again', async () => {
    const first = await limbeck(folder(), 'run', 'tiny.yaml', '--set', 'report.latency.seconds=0.2');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^distilled +\d+ /m);
    const run = path.join(folder(), 'checkpoints/tiny');
    expect((await readdir(run)).sort()).toEqual([
      'exports',
      'inputs.json',
      'ledger.json',
      'log.jsonl',
      'recipe.json',
      'report.csv',
      'report.html',
      'report.json',
      'report.md',
      'soft-targets',
      'state',
      'teacher.onnx',
    ]);
    const report = await readFile(path.join(run, 'report.json'), 'utf8');
    const log = (await readFile(path.join(run, 'log.jsonl'), 'utf8')).trimEnd().split('\n');
    const events = log.map((line) => JSON.parse(line) as { event: string; stage?: string; dataWait?: number });
    const { dataWait } = events.find(({ event, stage }) => event === 'done' && stage === 'distill')!;
    expect(dataWait).toBeGreaterThan(0);
    expect(dataWait).toBeLessThan(1);
    const again = await inProcess(folder(), 'run', 'tiny.yaml', '--json', '--set', 'report.latency.seconds=0.2');
    expect(again).toMatchObject({ code: 0, stdout: report });
    expect(again.stderr).toBe('');
    await rm(path.join(run, 'exports/scratch.onnx'));
    const gone =
      /warning: .*tiny: this run is finished, but some of its files are missing: exports\/scratch\.onnx\. Remove its report\.json/;
    const without = await inProcess(folder(), 'run', 'tiny.yaml', '--json', '--set', 'report.latency.seconds=0.2');
    expect(without).toMatchObject({ code: 0, stdout: report, stderr: expect.stringMatching(gone) as string });
    expect((await inProcess(folder(), 'report', 'tiny')).stdout).toMatch(gone);
    await rm(path.join(run, 'report.json'));
    await inProcess(folder(), 'run', 'tiny.yaml', '--set', 'report.latency.seconds=0.2');
    expect(await readdir(path.join(run, 'exports'))).toContain('scratch.onnx');
    const { models } = JSON.parse(report) as { models: { id: string; file: string }[] };
    expect(models.map(({ id }) => id)).toEqual(['teacher', 'scratch', 'distilled']);
  });

  it('says what changed in the recipe and asks for --fresh or --resume; a teacher that did not change is kept', async () => {
    await inProcess(folder(), 'run', 'tiny.yaml');
    const changed = ['run', 'tiny.yaml', '--set', 'distill.temperature=2'];
    const asked = await inProcess(folder(), ...changed);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('distill.temperature: 4 -> 2');
    expect(asked.stderr).toMatch(/--fresh .*--resume/);
    const fresh = await inProcess(folder(), ...changed, '--fresh');
    expect(fresh.code).toBe(0);
    expect(fresh.stdout).not.toContain('training the teacher');
    expect(fresh.stdout).toContain('distilling the student');
  });

  it('prints nothing but warnings and the report with --quiet, and JSON alone on stdout with --json', async () => {
    const { stdout } = await inProcess(folder(), 'run', 'tiny.yaml', '--quiet');
    expect(stdout.trimStart()).toMatch(/^(warning: .+\n+)*model /);
    const json = await limbeck(folder(), 'run', 'tiny.yaml', '--json', '--fresh');
    expect(JSON.parse(json.stdout)).toHaveProperty('status', 'complete');
    expect(json.stderr).toContain('distilling the student');
  });

  it('after Ctrl-C saves, says how to go on, exits with 130, and goes on', async () => {
    const long = ['--set', 'distill.epochs=3000', '--set', 'baseline=false'];
    const { child, finished, output } = start(folder(), ['run', 'tiny.yaml', ...long]);
    while (!/distilling the student[^]* epoch 1/.test(output()))
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const stopped = await finished;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/stopped distill after step \d+ of \d+\n?.*limbeck resume checkpoints\/tiny/);
    const report = await readFile(path.join(folder(), 'checkpoints/tiny/report.html'), 'utf8');
    expect(report).toMatch(/<p class="lead">The run was stopped in distill: stopped distill after step \d+ of \d+\. /);
    expect(report).toContain('Training loss. teacher from ');
    expect(await inProcess(folder(), 'resume', '--out', 'elsewhere')).toMatchObject({ code: 1 });
    const resumed = start(folder(), ['resume']);
    while (!resumed.output().includes('distilling the student, from step')) {
      expect(resumed.child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    resumed.child.kill('SIGKILL');
    await resumed.finished;
    // The report of the earlier stop is gone: what there is now comes from the ledger.
    const rebuilt = JSON.parse((await inProcess(folder(), 'report', 'tiny', '--json')).stdout) as { status: string };
    expect(rebuilt.status).toBe('interrupted');
    expect(await readFile(path.join(folder(), 'checkpoints/tiny/report.html'), 'utf8')).toContain(
      'The run was stopped in distill: it was killed, or is still going on.',
    );

    // Another name for the run, another place for it and its data.
    await mkdir(path.join(folder(), 'moved/runs'), { recursive: true });
    await rename(path.join(folder(), 'checkpoints/tiny'), path.join(folder(), 'moved/runs/renamed'));
    await rename(path.join(folder(), 'data.csv'), path.join(folder(), 'moved/data.csv'));
    const moved = start(folder(), ['resume', 'moved/runs/renamed']);
    while (!moved.output().includes('distilling the student, from step')) {
      expect(moved.child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    moved.child.kill('SIGKILL');
    await moved.finished;
  });

  it.each([
    ['a recipe that is not there', ['run', 'nowhere.yaml'], /nowhere\.yaml: cannot read it: no such file/],
    ['a folder as recipe', ['run', '.'], /\.: cannot read it: it is a folder/],
    [
      'training for fp16, which needs none',
      ['run', 'tiny.yaml', '--set', 'quantize={scheme: fp16, method: qat}'],
      /quantize\.method: not read beside scheme: fp16/,
    ],
    [
      'a data file that is not there',
      ['run', 'tiny.yaml', '--set', 'dataset.train=gone.csv'],
      /gone\.csv: cannot read it/,
    ],
    [
      'a teacher that is not there',
      ['run', 'tiny.yaml', '--set', 'teacher={onnx: gone.onnx}'],
      /gone\.onnx: cannot read it/,
    ],
    ['a name that leaves the folder', ['run', 'tiny.yaml', '--set', 'name=../up'], /name: expected letters/],
    ['a device that is not there', ['run', 'tiny.yaml', '--set', 'device=coreml'], /device coreml cannot be used/],
    ['an output folder that is a file', ['run', 'tiny.yaml', '--out', 'data.csv'], /data\.csv/],
    ['a run that is not there', ['resume', 'tinny'], /no run "tinny"/],
    ['a file that is no model', ['evaluate', 'data.csv', '--recipe', 'tiny.yaml'], /data\.csv: not an ONNX file/],
    ['a file of an unknown kind', ['inspect', 'data.csv'], /expected a file ending in/],
  ])('refuses %s with exit code 1, two lines and untouched files', async (_name, args, message) => {
    const before = await readdir(folder());
    const { code, stderr } = await inProcess(folder(), ...args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(code).toBe(1);
    expect((await readdir(folder())).filter((name) => name !== 'checkpoints')).toEqual(before);
  });

  it('leaves a folder of somebody else alone', async () => {
    await mkdir(path.join(folder(), 'checkpoints/tiny'), { recursive: true });
    await writeFile(path.join(folder(), 'checkpoints/tiny/thesis.tex'), 'mine');
    const { code, stderr } = await inProcess(folder(), 'run', 'tiny.yaml', '--fresh');
    expect(code).toBe(1);
    expect(stderr).toContain('this folder is not a run');
    expect(await readdir(path.join(folder(), 'checkpoints/tiny'))).toEqual(['thesis.tex']);
  });

  it('measures, copies and shows what it has exported', async () => {
    await inProcess(folder(), 'run', 'tiny.yaml');
    const file = 'checkpoints/tiny/exports/distilled.onnx';
    const evaluated = JSON.parse(
      (await inProcess(folder(), 'evaluate', file, '--recipe', 'tiny.yaml', '--json')).stdout,
    ) as { accuracy: number };
    const report = JSON.parse(await readFile(path.join(folder(), 'checkpoints/tiny/report.json'), 'utf8')) as {
      models: { id: string; score: { test: number } }[];
    };
    expect(evaluated.accuracy).toBe(report.models.find(({ id }) => id === 'distilled')!.score.test);
    expect(await inProcess(folder(), 'export', 'tiny', '--to', 'copy.onnx')).toMatchObject({ code: 0 });
    expect(await readFile(path.join(folder(), 'copy.onnx'))).toEqual(await readFile(path.join(folder(), file)));
    // How its answers are spread: as the report has it, and made anew.
    const usual = () => readFile(path.join(folder(), 'copy.usual.json'), 'utf8');
    const known = await usual();
    expect(JSON.parse(known)).toMatchObject({ split: 'test', classes: expect.any(Array) as number[] });
    await rm(path.join(folder(), 'copy.usual.json'));
    await inProcess(folder(), 'evaluate', 'copy.onnx', '--recipe', 'tiny.yaml', '--usual');
    expect(await usual()).toBe(known);
    const from = ['export', '--from', 'checkpoints/tiny', '--json'];
    const int8 = await inProcess(folder(), ...from, '--precision', 'int8', '--out', 'own.onnx');
    expect(int8).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(int8.stdout)).toMatchObject({ to: 'own.onnx', skipped: [] });
    expect((await inProcess(folder(), 'export', '--from', 'copy.onnx', '--out', 'own.tflite')).stderr).toContain(
      '--out own.tflite: expected a name that ends in .onnx, as --format is onnx, received .tflite\nAdd --format tflite,',
    );
    const lite = ['export', '--from', 'copy.onnx', '--format', 'tflite', '--precision', 'int8'];
    expect((await inProcess(folder(), ...lite)).stderr).toContain('expected samples to calibrate with, received none');
    expect(await inProcess(folder(), ...lite, '--data', 'tiny.yaml')).toMatchObject({ code: 0 });
    expect((await readFile(path.join(folder(), 'copy-int8.tflite'))).subarray(4, 8).toString()).toBe('TFL3');
    expect((await inProcess(folder(), 'export', '--from', 'tiny.yaml')).stderr).toContain(
      '--from: expected the folder',
    );
    expect((await inProcess(folder(), 'inspect', 'copy.onnx')).stdout).toMatch(/input {3}input float32\[batch, 2\]/);
    expect((await inProcess(folder(), 'inspect', 'checkpoints/tiny')).stdout).toContain(
      'measure exports/distilled.onnx',
    );
    expect((await inProcess(folder(), 'export', 'tiny', '--to', 'x.onnx', '--model', 'distiled')).stderr).toContain(
      'Did you mean distilled?',
    );
    const kit = await inProcess(folder(), 'export', 'tiny', '--kit', 'kit');
    expect(kit).toMatchObject({ code: 0, stderr: '' });
    expect(kit.stdout).toMatch(/^kit: \d+ files, begin with README\.md\n$/);
    expect((await readdir(path.join(folder(), 'kit/models'))).sort()).toEqual([
      ...['distilled-int8.onnx', 'distilled-int8.tflite', 'distilled.onnx', 'distilled.tflite'],
      'distilled.usual.json',
    ]);
    expect((await inProcess(folder(), 'export', 'tiny', '--kit', 'kit')).stderr).toContain('add --force');
    const again = await inProcess(folder(), 'export', 'tiny', '--kit', 'kit', '--force', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ folder: 'kit', skipped: [] });
  });
});

it('says how a student module is named in a project of CommonJS, and which Node reads one in TypeScript', async () => {
  await writeData(folder());
  await writeRecipe(folder(), 'dataset: { type: csv, train: data.csv }\nstudent: { module: m.js }\n');
  await writeFile(path.join(folder(), 'package.json'), '{ "type": "commonjs" }');
  const source =
    'export default ({ tf, inputShape, classes }) => tf.sequential({ layers: [tf.layers.dense({ inputShape, units: classes })] });';
  await writeFile(path.join(folder(), 'm.js'), source);
  const { code, stderr } = await limbeck(folder(), 'validate', '--data', 'tiny.yaml');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /Unexpected token 'export'\nNode reads \.js as CommonJS here: a package\.json above it says "type": "commonjs".*\.mjs/,
    ),
  ]);
  await writeFile(path.join(folder(), 'm.mjs'), source);
  await writeRecipe(folder(), 'dataset: { type: csv, train: data.csv }\nstudent: { module: m.mjs }\n');
  expect((await limbeck(folder(), 'validate', '--data', 'tiny.yaml')).code).toBe(0);

  await writeFile(path.join(folder(), 'm.ts'), source.replace('}) =>', '}: any) =>'));
  await writeRecipe(folder(), 'dataset: { type: csv, train: data.csv }\nstudent: { module: m.ts }\n');
  const typed = await limbeck(folder(), 'validate', '--data', 'tiny.yaml');
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  if (major > 22 || (major === 22 && minor >= 18)) expect(typed.code).toBe(0);
  else expect(typed.stderr).toMatch(/Unknown file extension "\.ts".*\nNode reads TypeScript itself from 22\.18 on/);
});
