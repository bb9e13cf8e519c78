import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ONNX_LIMIT } from '../../src/formats/onnx/large.ts';
import type { Report } from '../../src/report/types.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';

// The models of this run have more than a file may: their weights are in files beside them.
const folder = temporaryFolder();
const place = (...names: string[]): string => path.join(folder(), ...names);
const limbeck = (...args: string[]) => inProcess(folder(), ...args);
const whole = ONNX_LIMIT.bytes;
const read = (name: string): Buffer => readFileSync(place(name));

const recipe = (name: string, more: object): void =>
  writeFileSync(place(`${name}.yaml`), JSON.stringify({ dataset: DIGITS, export: ['onnx'], ...QUICK, ...more }));
const student = (width: number): object => ({
  student: { model: 'mlp', hidden: [width, width] },
  distill: { epochs: 1, batchSize: 128 },
  baseline: false,
});

beforeEach(() => {
  ONNX_LIMIT.bytes = 2 ** 17;
  mkdirSync(place('parts'));
});
afterEach(() => (ONNX_LIMIT.bytes = whole));

const ok = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await limbeck(...args);
  expect([code, stderr.match(/limbeck: .*/)?.[0]]).toEqual([0, undefined]);
  return stdout;
};
const refused = async (...args: string[]): Promise<string> => (await limbeck(...args)).stderr;

it('a run exports, measures and copies such models, and what takes one file alone refuses them by name', async () => {
  const teacher = { teacher: { train: { model: 'mlp', hidden: [200, 200], epochs: 1 } } };
  recipe('big', { ...teacher, ...student(160), quantize: { scheme: 'fp16' }, outputs: 'probabilities' });
  await ok('run', 'big.yaml');
  const run = 'checkpoints/big';
  const exported = readdirSync(place(run), { recursive: true }) as string[];
  expect(exported.filter((name) => name.endsWith('.onnx.data')).sort()).toEqual([
    'exports/distilled-probabilities.onnx.data',
    'exports/distilled.onnx.data',
    'teacher.onnx.data',
  ]);
  const { models } = JSON.parse(readFileSync(place(run, 'report.json'), 'utf8')) as Report;
  for (const { file, sizeBytes, gzipBytes } of models) {
    const files = [file!, `${file!}.data`].filter((name) => exported.includes(name));
    expect(sizeBytes).toBe(files.reduce((sum, name) => sum + statSync(place(run, name)).size, 0));
    expect(gzipBytes).toBeGreaterThan(sizeBytes / 2);
  }
  const distilled = models.find(({ id }) => id === 'distilled')!;

  // The same file again, by other commands.
  await ok('export', 'big', '--to', 'parts/copy.onnx');
  expect(read('parts/copy.onnx.data')).toEqual(read(`${run}/exports/distilled.onnx.data`));
  expect(await ok('evaluate', 'parts/copy.onnx', '--recipe', 'big.yaml', '--split', 'test')).toContain(
    (100 * distilled.score.test!).toFixed(2),
  );
  expect(await ok('inspect', 'parts/copy.onnx')).toMatch(/copy.onnx: ONNX, \d+ bytes/);
  await ok('bench', 'parts/copy.onnx', '--seconds', '0.2', '--batch', '1');

  for (const args of [
    ['export', 'big', '--kit', 'kit'],
    ['export', 'big', '--triton', 'triton'],
    ['export', 'big', '--kserve', 'kserve'],
    ['compress', 'parts/copy.onnx', '--data', 'x.npy'],
    ['serve', 'parts/copy.onnx', '--port', '0'],
  ])
    expect([args.join(' '), await refused(...args)]).toEqual([
      args.join(' '),
      expect.stringMatching(/\.onnx: takes 0 MB, and .* takes models of one file/),
    ]);
  expect(readdirSync(folder())).not.toEqual(expect.arrayContaining(['kit']));

  // As a teacher, from the files of the export; its answers are stored under its content.
  recipe('taught', { teacher: { onnx: 'parts/copy.onnx' }, ...student(8) });
  await ok('run', 'taught.yaml');
  const taught = JSON.parse(read('checkpoints/taught/report.json').toString()) as Report;
  const copied = ['parts/copy.onnx', 'parts/copy.onnx.data'].reduce((sum, name) => sum + statSync(place(name)).size, 0);
  expect(taught.models[0]).toMatchObject({ id: 'teacher', sizeBytes: copied, score: distilled.score });
});
