import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { keepLatency } from '../../src/folder/report/device-latency.ts';
import { exportedFile } from '../../src/folder/report/finished.ts';
import { JobFolder } from '../../src/folder/jobs.ts';
import { rebuildReport, reportOf } from '../../src/folder/report/report-files.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { modelsOfRun } from '../../src/tools/serve.ts';
import { inspectFile } from '../../src/tools/inspect.ts';
import { reportJson } from '../../src/report/render/json.ts';
import { example } from '../report/example.ts';
import { temporaryFolder } from '../support/folder.ts';
import { makePipe } from '../support/pipe.ts';

const folder = temporaryFolder();
const run = (): string => path.join(folder(), 'run');
const of = (name: string): string => path.join(run(), name);

const RECIPE = JSON.stringify({
  ...{ base: '/nowhere', baseFromHere: '..', moves: [] },
  recipe: makeRecipe({ name: 'small', dataset: { type: 'csv', train: 'd.csv' }, student: { model: 'mlp' } }).written,
});

beforeEach(async () => {
  await mkdir(of('exports'), { recursive: true });
  await writeFile(path.join(folder(), 'secret'), 'secret');
  await writeFile(of('report.json'), reportJson(example));
  await writeFile(of('recipe.json'), RECIPE);
});

/** A report whose distilled student has another file. */
async function withFile(file: string): Promise<void> {
  const models = example.models.map((row) => (row.id === 'distilled' ? { ...row, file } : row));
  await writeFile(of('report.json'), reportJson({ ...example, models }));
}

/** Commands that read a run that somebody sent. */
const READERS: Readonly<Record<string, () => Promise<unknown>>> = {
  'export and serve': () => exportedFile(run()),
  report: () => rebuildReport(run()),
  compare: () => reportOf(run()),
  bench: () => modelsOfRun(run()),
};

describe.each(Object.entries(READERS))('%s', (_, read) => {
  it.each(['../secret', '/etc/hostname', 'exports/../../secret'])('reads no model from %s', async (file) => {
    await withFile(file);
    await expect(read()).rejects.toThrow(`report.json: ${file} leads out of the folder of the run`);
  });

  it('reads no model by a symbolic link from elsewhere', async () => {
    await symlink('../../secret', of('exports/distilled.onnx'));
    await expect(read()).rejects.toThrow(/exports\/distilled\.onnx leads out of the folder of the run$/);
  });

  it.each(['report.json'])('reads no %s that is a link to elsewhere', async (name) => {
    await cp(of(name), path.join(folder(), 'other'));
    await rm(of(name));
    await symlink('../other', of(name));
    await expect(read()).rejects.toThrow(`${run()}: ${name} leads out of the folder of the run`);
  });
});

it.each(['recipe.json', 'ledger.json', 'log.jsonl'])('reads no %s that is a link or a pipe', async (name) => {
  await rm(of('report.json'));
  await rm(of(name), { force: true });
  await symlink('../secret', of(name));
  await expect(reportOf(run())).rejects.toThrow(`${run()}: ${name} leads out of the folder of the run`);
  await rm(of(name));
  await makePipe(of(name));
  await expect(reportOf(run())).rejects.toThrow(`${of(name)}: it is no file`);
});

it('names no file of another place by the ledger of a run that was killed', async () => {
  await rm(of('report.json'));
  const row = (stage: string, figures: object): object => ({ stage, seconds: 1, figures, notes: {} });
  const score = { validation: 0.5 };
  const stages = [
    row('distill', { score, params: 12 }),
    row('export exports/distilled.onnx', { file: '../secret', sizeBytes: 6 }),
  ];
  await writeFile(of('ledger.json'), JSON.stringify({ sha256: sha256(JSON.stringify(stages)), rows: stages }));
  expect((await reportOf(run())).models.map(({ file }) => file)).toEqual(['../secret']);
  await expect(modelsOfRun(run())).rejects.toThrow('../secret leads out of the folder of the run');
});

it('takes no report of another place for that of a trial that the log names', async () => {
  await rm(of('report.json'));
  const search = { target: { sizeKb: 100 } };
  const stored = JSON.parse(RECIPE) as { recipe: object };
  await writeFile(of('recipe.json'), JSON.stringify({ ...stored, recipe: { ...stored.recipe, ...search } }));
  await writeFile(of('log.jsonl'), JSON.stringify({ event: 'stage', stage: 'distill', trial: '../../../elsewhere' }));
  await expect(reportOf(run())).rejects.toThrow('elsewhere leads out of the folder of the run');
});

it('writes and reads no latency by a link to another folder', async () => {
  await mkdir(path.join(folder(), 'elsewhere'));
  await symlink('../elsewhere', of('latency'));
  const measurement = { measuredAt: '2026-01-01T00:00:00Z', versions: {}, loadAverage: null, skipped: [] };
  const kept = keepLatency(run(), example, { rows: [], devices: ['phone'], measurement });
  await expect(kept).rejects.toThrow(/latency\/phone-.* leads out of the folder of the run$/);
  expect(await readdir(path.join(folder(), 'elsewhere'))).toEqual([]);
});

it('takes no training of a race from a folder elsewhere', async () => {
  const race = new JobFolder(run(), 'race');
  await mkdir(path.join(race.folder, 'done'), { recursive: true });
  const finished = { key: 'k', validation: 1, folder: '../elsewhere' };
  await writeFile(path.join(race.folder, 'done/stage.json'), JSON.stringify(finished));
  await expect(race.take('done/stage.json', 'k', ['stage'], run())).rejects.toThrow(
    '../elsewhere leads out of the folder of the run',
  );
});

it('shows a run whose folder is itself a link, and writes its report in place of links', async () => {
  const link = path.join(folder(), 'link');
  await symlink('run', link);
  await symlink('../secret', of('report.md'));
  await rebuildReport(link);
  expect(await readFile(path.join(folder(), 'secret'), 'utf8')).toBe('secret');
  expect(await readFile(of('report.md'), 'utf8')).toMatch(/^# /);
  expect((await inspectFile(link)).text).toMatch(/small/);
});
