import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { limbeck, ROOT, start } from './support/built.ts';
import { temporaryFolder } from './support/folder.ts';
import { inProcess } from './support/in-process.ts';
import { hasTerminal, onTerminal } from './support/terminal.ts';
import { writeData } from './support/tiny.ts';

const folder = temporaryFolder();

describe('limbeck', () => {
  it('shows its commands fast', async () => {
    await limbeck(folder(), '--help');
    const [times, bare] = [[] as number[], [] as number[]];
    for (let i = 0; i < 5; i++) {
      const first = performance.now();
      execFileSync(process.execPath, ['-e', '0']);
      const before = performance.now();
      const { code, stdout } = await limbeck(folder(), '--help');
      times.push(performance.now() - before);
      bare.push(before - first);
      expect(code).toBe(0);
      for (const command of ['run', 'resume', 'validate', 'datasets', 'doctor', 'init'])
        expect(stdout).toContain(command);
    }
    // Four times what Node takes to start; a runtime or tfjs among the imports of the program makes it many times as long.
    expect(Math.min(...times)).toBeLessThan(10 * Math.min(...bare));
  });

  it.each([
    [['rnu'], 'Unknown command: rnu\nDid you mean run? Run `limbeck --help`.\n'],
    [['--out', 'debug', 'evalute', 'x'], 'Unknown command: evalute\nDid you mean evaluate? Run `limbeck --help`.\n'],
    [['nonsense'], 'Unknown command: nonsense\nRun `limbeck --help`.\n'],
    [[], 'Name a command.'],
    [['run'], 'run: expected <recipe>, received too few arguments\nRun `limbeck run --help`.\n'],
    [['run', 'a.yaml', '--set'], '--set: expected a value, received none\n'],
    [['run', 'a.yaml', '--sett', 'x=1'], 'Unknown argument: sett\nDid you mean --set?'],
    [['export', '--prune', 'x'], 'Unknown argument: prune\nRun `limbeck export --help`.\n'],
    [['run', 'a.yaml', '--no-set'], 'Unknown argument: no-set\n'],
    [['run', 'a.yaml', '--set.seed=1'], 'Unknown argument: set.seed\n'],
    [
      ['completion', '--shell', 'fish'],
      'completion: expected nothing more, received "--shell"\nIt prints the script of bash',
    ],
    [['run', 'a.yaml', '--out', 'b', '--out', 'c'], '--out: expected one value, received "b" and "c"\n'],
    [['run', 'a.yaml', '--out', '--quiet'], '--out: expected a value, received none\n'],
    [['run', 'a.yaml', '--save-every', 'often'], '--save-every: expected a number, received "often"\n'],
    [['bench', 'a.onnx', '--batch', '1', '2x'], '--batch: expected a number, received "2x"\n'],
    [
      ['export', '--from', 'a.onnx', '--to', 'b.onnx'],
      'export: --to takes the name of a run, received --from a.onnx\nName the file to write with --out b.onnx.\n',
    ],
    [['export', '--from', 'a.onnx', '--opset=new'], '--opset: expected a number, received "new"\n'],
    [['inspect', 'a.onnx', '--models'], 'inspect: expected a file or --models, received both, the file a.onnx\n'],
    [['schema', '--of', 'cake'], '--of: expected one of recipe, report, received "cake"\n'],
    [
      ['evaluate', 'm.onnx', '--recipe', 'a.yaml', '--columns', 'a,b,c'],
      '--columns: expected --pairs beside it, received none\n',
    ],
    [
      ['evaluate', 'm.onnx', '--recipe', 'a.yaml', '--pairs', 'p.csv', '--split', 'train'],
      '--split: expected no --pairs beside it, received p.csv\n',
    ],
    [
      ['evaluate', 'm.onnx', '--recipe', 'a.yaml', '--pairs', 'p.csv', '--queries', 'q'],
      '--queries: expected no --pairs beside it, received p.csv\n',
    ],
    [
      ['evaluate', 'm.onnx', '--recipe', 'a.yaml', '--queries', 'q', '--usual'],
      '--usual: expected no --queries beside it, received q\n',
    ],
    [
      ['evaluate', 'm.onnx', '--recipe', 'a.yaml', '--queries', 'q', '--columns', 'a,b,c'],
      '--columns: expected --pairs beside it, received none\n',
    ],
    [['run', 'a.yaml', '--fresh', '--resume'], '--fresh and --resume: expected one of them, received both'],
    [['run', 'a.yaml', '--quiet', '--verbose'], 'mutually exclusive'],
  ])('%j ends with exit code 1 and two lines', async (args, message) => {
    // One of them as a process: the shell is given the same code and lines.
    const { code, stderr } = await (args[0] === 'rnu' ? limbeck : inProcess)(folder(), ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('takes `help run` for `run --help`', async () => {
    const { code, stdout } = await limbeck(folder(), 'help', 'run');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^limbeck run <recipe>\n/)]);
  });

  it('says that it cannot print, and ends like any program when its reader has gone', async () => {
    const fail =
      "process.stdout.write = () => process.stdout.destroy(Object.assign(new Error('disk'), {code: 'ENOSPC'}));";
    expect(await start(folder(), ['schema'], fail).finished).toMatchObject({ code: 1, stderr: 'cannot print: disk\n' });
    const { child: reading, finished } = start(folder(), ['schema']);
    reading.stdout.destroy();
    expect(await finished).toMatchObject({ code: 141, stderr: '' });
  });

  it('prints the JSON Schema of recipes and reports', async () => {
    const recipe = JSON.parse((await inProcess(folder(), 'schema')).stdout) as {
      properties: Record<string, { $ref: string }>;
      $defs: Record<string, { description: string }>;
    };
    const { $ref } = recipe.properties['distill']!;
    expect(recipe.$defs[$ref.replace('#/$defs/', '')]!.description).toMatch(/^Training of the student/);
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
    expect(stdout).toMatch(/all files that are here are right\n$/);
    const isFetched = existsSync(path.join(ROOT, 'datasets/mnist/train-images-idx3-ubyte.gz'));
    expect(/^mnist .*not here/m.test(stdout)).toBe(!isFetched);
  });

  it('says what a folder without data sets lacks', async () => {
    const { code, stderr } = await inProcess(folder(), 'datasets');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^datasets: expected a folder with an index\.json .*\nName/),
    ]);
  });

  it('lists models', async () => {
    expect((await inProcess(folder(), 'inspect', '--models')).stdout).toMatch(/^ds-cnn: .*\n {4}width \(1\): /m);
  });
});

describe('limbeck validate', () => {
  const recipe = (teacher: string): string =>
    `dataset: { type: csv, train: data.csv, testFraction: 0.2 }\nteacher: ${teacher}\nstudent: { model: mlp }\n`;

  it('says which of the files that a recipe names are not there, with line and column', async () => {
    await writeData(folder());
    await writeFile(path.join(folder(), 'r.yaml'), recipe('{ ensemble: [{ onnx: a.onnx }, { tfjs: b }] }'));
    const { code, stderr } = await inProcess(folder(), 'validate', 'r.yaml', '--set', 'dataset.validation=gone.csv');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /--set dataset\.validation=gone\.csv: dataset\.validation: expected a file or folder that is there, received .*gone\.csv$/m,
    );
    expect(stderr).toMatch(
      /r\.yaml:2:\d+ teacher\.ensemble\[0\]\.onnx: expected a file or folder that is there, received .*a\.onnx$/m,
    );
    expect(stderr).toMatch(/teacher\.ensemble\[1\]\.tfjs: .*received .*\/b$/m);
  });

  it('opens the teacher with --data, and asks it', async () => {
    await writeData(folder());
    const file = path.join(folder(), 'r.yaml');
    await writeFile(path.join(folder(), 'bad.onnx'), 'no model');
    await writeFile(file, recipe('{ onnx: bad.onnx }'));
    expect(await inProcess(folder(), 'validate', 'r.yaml')).toMatchObject({ code: 0, stdout: 'r.yaml: right\n' });
    const { code, stderr } = await inProcess(folder(), 'validate', '--data', 'r.yaml');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/bad\.onnx: not an ONNX file/)]);
    const train = '{ train: { model: mlp, hidden: [16], epochs: 10, batchSize: 16 } }';
    await writeFile(file, recipe(train).replace('student: { model: mlp }\n', 'report: { latency: { seconds: 0 } }\n'));
    expect(await inProcess(folder(), 'run', 'r.yaml', '--quiet')).toMatchObject({ code: 0, stderr: '' });
    await writeFile(file, recipe('{ onnx: checkpoints/r/teacher.onnx }'));
    const good = await inProcess(folder(), 'validate', '--data', 'r.yaml');
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(
      /^r\.yaml: right: 144 train, .* 2 classes\n {2}distill: 200 epochs \(400 steps of up to 128 samples\) for at least 2000 steps or 200 epochs; .*\n {2}teacher teacher\.onnx: right on [\d.]+ % of 16 validation samples\n {2}forecast: .*\n$/,
    );
  });
});

describe('limbeck init', () => {
  it('writes a recipe that is right, and does not replace one', async () => {
    await writeData(folder());
    const made = await inProcess(folder(), 'init', 'new.yaml', '--type', 'csv', '--train', 'data.csv');
    expect(made).toMatchObject({ code: 0 });
    expect(await inProcess(folder(), 'validate', '--data', 'new.yaml')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^new\.yaml: right: 162 train, 18 validation, 20 test, 2 classes\n {2}forecast: .*\n$/,
      ) as string,
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
    [
      'a label column that the table has not',
      ['--train', 'data.csv', '--task', 'multi-label', '--label', 'b, nope'],
      /^init: --label: no column nope, data\.csv has .*\nName a column/,
    ],
    ['an unknown type', ['--train', 'data.csv', '--type', 'foo'], /dataset\.type: expected one of idx, csv/],
  ])('refuses %s and writes nothing', async (_name, args, message) => {
    await writeData(folder());
    const { code, stderr } = await inProcess(folder(), 'init', ...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(await readdir(folder())).toEqual(['data.csv']);
  });

  it('names a teacher by the kind of its file, and refuses one of another kind', async () => {
    await writeData(folder());
    for (const name of ['a.npy', 'model.json', 't.onnx', 't.pt']) await writeFile(path.join(folder(), name), '');
    const init = (teacher: string, to: string) =>
      inProcess(folder(), 'init', to, '--train', 'data.csv', '--teacher', teacher, '--model', 'mlp');
    for (const [name, key] of [
      ['a.npy', 'logits'],
      ['model.json', 'tfjs'],
      ['t.onnx', 'onnx'],
    ] as const) {
      // prettier-ignore
      expect((await init(name, `${key}.yaml`)).code).toBe(0);
      expect(await readFile(path.join(folder(), `${key}.yaml`), 'utf8')).toContain(`  ${key}: ${name}\n`);
    }
    expect(await init('t.pt', 'd.yaml')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'init: --teacher: a teacher is an ONNX file, a .keras or .h5 file of Keras, a TFLite file',
      ) as string,
    });
  });

  it('says which layouts of boxes are read, unless the type is said; masks are segmentation', async () => {
    for (const name of ['seg/images', 'seg/masks', 'yolo/images', 'yolo/labels']) {
      await mkdir(path.join(folder(), name), { recursive: true });
      for (const i of [1, 2]) await writeFile(path.join(folder(), name, `${i}.png`), '');
    }
    expect(await inProcess(folder(), 'init', '--train', 'yolo')).toMatchObject({
      code: 1,
      stderr:
        'init: yolo: holds images and labels, as data with masks or boxes do, in a layout that is not read\n' +
        'Masks are read from folders `images` and `masks`, as PNGs of class numbers; boxes by a data.yaml of YOLO, from a list or folder of Pascal VOC, or with --type coco from a folder of pictures and a JSON file (--labels). If the data are of this kind all the same, say so: --type image-folder.\n',
    });
    const said = ['--type', 'image-folder', '--test', '', '--teacher', '', '--model', 'mlp'];
    expect((await inProcess(folder(), 'init', '--train', 'yolo', ...said)).code).toBe(0);
    const masks = ['--train', 'seg', '--test', '', '--teacher', '', '--to', 'seg.yaml'];
    expect((await inProcess(folder(), 'init', ...masks)).code).toBe(0);
    const recipe = await readFile(path.join(folder(), 'seg.yaml'), 'utf8');
    expect(recipe).toContain('  type: mask-folder\n  task: segmentation\n  train: seg\n');
    expect(recipe).toContain('student: { model: seg-lraspp, alpha: 0.35 } #');
    expect(recipe).toContain('\n  # classes: [background, person] # names in the order');
    await writeFile(path.join(folder(), 'seg/labels.txt'), 'background\nleaf\n');
    await inProcess(folder(), 'init', ...masks, '--force');
    expect(await readFile(path.join(folder(), 'seg.yaml'), 'utf8')).toContain('  # classes: those of labels.txt');
  });

  it('says what is missing where nobody can answer', async () => {
    const { code, stderr } = await inProcess(folder(), 'init', '--type', 'idx', '--train', 'a');
    expect([code, stderr]).toEqual([
      1,
      'init: --labels is missing\nGive it on the command line; without a terminal nothing can be asked.\n',
    ]);
    expect(await readdir(folder())).toEqual([]);
  });

  const terminal = hasTerminal ? it : it.skip;

  terminal('asks on a terminal, and stopped there by Ctrl-C or Ctrl-D writes nothing and ends with 130', async () => {
    await writeData(folder());
    for (const key of ['\u0003', '\u0004']) {
      const { code, shown } = await onTerminal(folder(), 'init', [
        ['Training data', 'data.csv\r'],
        ['Test data', key],
      ]);
      expect([code, shown]).toEqual([130, expect.stringMatching(/init was stopped; nothing was written\r\n$/)]);
    }
    expect(await readdir(folder())).toEqual(['data.csv']);
  });

  terminal('asks again where an answer is wrong', async () => {
    await writeData(folder());
    const { code, shown } = await onTerminal(folder(), 'init', [
      ['Training data', 'dat.csv\r'],
      [/dat\.csv is not there; paths start at the folder of recipe\.yaml[^]*Training data/, '.\r'],
      ['Type of the data', 'cvs\r'],
      [/did you mean csv\?[^]*Type of the data/, 'csv\r'],
      [/\. is a folder, and csv is read from a file[^]*Training data/, 'data.csv\r'],
      ['Test data', '\r'],
      ['Label column', '\r'],
      ['Teacher', '\r'],
      ['Model of the student', 'resnet50\r'],
      [/did you mean resnet\?[^]*Model of the student/, 'mlp\r'],
      ['Where it will run', 'phone\r'],
      [/received phone[^]*Where it will run/, 'server\r'],
    ]);
    expect([code, shown]).toEqual([0, expect.stringContaining('recipe.yaml: written.')]);
  });

  terminal('asks on stderr beside --json, and nobody where the answers cannot come from a terminal', async () => {
    await writeData(folder());
    const asked = 'init --json --type csv --train data.csv --test "" --label "" --teacher "" --targets server';
    const { code, shown } = await onTerminal(folder(), `${asked} 2> asked.txt`, [['', 'mlp\r']]);
    expect([code, shown]).toEqual([0, expect.stringMatching(/\{\s+"file": "recipe.yaml"\s+\}/)]);
    expect(shown).not.toContain('Model of the student');
    expect(await onTerminal(folder(), 'init b.yaml --type csv < /dev/null', [])).toMatchObject({
      code: 1,
      shown: expect.stringContaining('init: --train is missing') as string,
    });
  });
});
