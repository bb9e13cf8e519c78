import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Column } from '../../src/data/dataset.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadForm } from '../../src/serve/v1/forms.ts';
import { describedBy, statedNames } from '../../src/serve/v1/preparation.ts';
import { valuesOf } from '../../src/serve/v1/read.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const CITIES = ['Oslo', 'Rome', 'Bonn'];

/** Whether it is warm follows from the city and the month. */
function table(rows: number, cities = CITIES): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [city, month] = [cities[i % cities.length]!, (i * 7) % 12];
    return `${city},${month},${month > 9 - 4 * CITIES.indexOf(city) ? 'warm' : 'cold'}`;
  });
  return `city,month,label\n${lines.join('\n')}\n`;
}

it('the words travel with the model: metadata, evaluation, kit, requests', async () => {
  await writeFile(path.join(folder(), 'train.csv'), table(240));
  await writeFile(path.join(folder(), 'test.csv'), table(60, ['Rome', 'Oslo']));
  await writeFile(path.join(folder(), 'other.csv'), table(240, ['Rome', 'Oslo']));
  const dataset = { type: 'csv', train: 'train.csv', test: 'test.csv', categorical: ['city'] };
  const base = { name: 'words', dataset, student: { model: 'mlp', hidden: [16] }, ...QUICK };
  const training = { epochs: 30, batchSize: 32, optimizer: { learningRate: 0.02 } };
  const made = makeRecipe({ ...base, distill: training, export: ['onnx', 'tflite'] }, folder());
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  const [onnx, tflite] = ['onnx', 'tflite'].map((format) => report.models.find((row) => row.format === format)!);
  expect(onnx!.score.test).toBeGreaterThan(0.9);

  const file = path.join(run, onnx!.file!);
  const { metadata } = decodeModel(await readFile(file), file);
  const columns = [{ name: 'city', words: ['Bonn', 'Oslo', 'Rome'] }, { name: 'month' }];
  expect(JSON.parse(metadata.get('columns')!)).toEqual(columns);

  // Train of another recipe has other words: those of the file are used.
  const other = makeRecipe({ ...base, dataset: { ...dataset, train: 'other.csv' } }, folder());
  for (const model of [onnx!, tflite!])
    expect((await evaluateFile(path.join(run, model.file!), other, 'test')).accuracy).toBe(onnx!.score.test);
  const taught = makeRecipe({ ...other.written, name: 'taught', teacher: { onnx: file } }, folder());
  await expect(runRecipe(taught, { out: folder() })).rejects.toThrow(
    /its column \d is city of 3 words \(Bonn, Oslo, Rome\), that of the data city of 2 words \(Oslo, Rome\)$/,
  );

  await writeKit(run, path.join(folder(), 'kit'));
  const kit = JSON.parse(await readFile(path.join(folder(), 'kit/preprocessing.json'), 'utf8')) as object;
  expect(kit).toMatchObject({ columns, input: { shape: [1, 4] } });

  const input = { name: 'input', dtype: 'float32', shape: [null, 4] };
  await loadForm(statedNames({ metadata }));
  const described = describedBy({ facts: { inputs: [input], batching: { kind: 'free' } }, metadata } as never)!;
  const ask = (body: unknown) => Array.from(valuesOf(Buffer.from(JSON.stringify(body)), described));
  expect(ask({ city: 'Rome', month: 3 })).toEqual([0, 0, 1, 3]);
  // NaN marks a word that train does not have; the server names it in its answer, and the model sees 0.
  expect(ask({ inputs: [{ city: 'Oslo', month: 1 }, { city: 'Paris', month: 2 }] })).toEqual([0, 1, 0, 1, NaN, NaN, NaN, 2]); // prettier-ignore
  expect(ask([0, 1, 0, 1])).toEqual([0, 1, 0, 1]);
  expect(() => ask({ city: 'Rome', month: '3' })).toThrow('column "month": expected a number, received "3"');
  expect(() => ask({ town: 'Rome', month: 3 })).toThrow('unknown column "town"; the columns are city, month');
});

it('the parts of dates travel with the model: metadata, evaluation, kit, requests', async () => {
  const start = Date.UTC(1965, 0, 1);
  /** Whether it is warm follows from the month. */
  const dates = (rows: number, timeOf: (i: number) => string): string => {
    const lines = Array.from({ length: rows }, (_, i) => {
      const date = new Date(start + ((i * 7919) % 30_000) * 86_400_000);
      const isWarm = date.getUTCMonth() > 3 && date.getUTCMonth() < 9;
      return `${date.toISOString().slice(0, 10)}${timeOf(i)},${i % 10},${isWarm ? 'warm' : 'cold'}`;
    });
    return `seen,x,label\n${lines.join('\n')}\n`;
  };
  const withTime = dates(400, (i) => `T${10 + (i % 10)}:30+01:00`);
  await writeFile(path.join(folder(), 'dated.csv'), withTime);
  await writeFile(path.join(folder(), 'dated-test.csv'), withTime.replace(/^19.*\n/m, ''));
  await writeFile(
    path.join(folder(), 'days.csv'),
    dates(300, () => ''),
  );
  const dataset = { type: 'csv', train: 'dated.csv', test: 'dated-test.csv', missing: 'mean' };
  const base = { name: 'dates', dataset, student: { model: 'mlp', hidden: [16] }, ...QUICK };
  const training = { epochs: 60, batchSize: 32, optimizer: { learningRate: 0.02 } };
  const made = makeRecipe({ ...base, distill: training, export: ['onnx', 'tflite'] }, folder());
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  const [onnx, tflite] = ['onnx', 'tflite'].map((format) => report.models.find((row) => row.format === format)!);
  expect(onnx!.score.test).toBeGreaterThan(0.9);
  const file = path.join(run, onnx!.file!);
  const { metadata } = decodeModel(await readFile(file), file);
  const columns = JSON.parse(metadata.get('columns')!) as Column[];
  expect(columns[0]).toMatchObject({ name: 'seen', date: ['days', 'month', 'day', 'weekday', 'hour'] });

  // Train of another recipe has no times: the parts of the file are used.
  const other = makeRecipe({ ...base, dataset: { ...dataset, train: 'days.csv' } }, folder());
  for (const model of [onnx!, tflite!])
    expect((await evaluateFile(path.join(run, model.file!), other, 'test')).accuracy).toBe(onnx!.score.test);
  const taught = makeRecipe({ ...other.written, name: 'dates-taught', teacher: { onnx: file } }, folder());
  await expect(runRecipe(taught, { out: folder() })).rejects.toThrow(
    /its column 1 is seen as days, month, day, weekday, hour, that of the data seen as days, month, day, weekday$/,
  );

  await writeKit(run, path.join(folder(), 'dates-kit'));
  const kit = JSON.parse(await readFile(path.join(folder(), 'dates-kit/preprocessing.json'), 'utf8')) as object;
  const filled = [...(columns[0]!.missing as readonly number[]), columns[1]!.missing];
  expect(kit).toMatchObject({ columns, input: { shape: [1, 6] }, normalization: { missing: filled } });

  const input = { name: 'input', dtype: 'float32', shape: [null, 6] };
  await loadForm(statedNames({ metadata }));
  const described = describedBy({ facts: { inputs: [input], batching: { kind: 'free' } }, metadata } as never)!;
  const ask = (body: unknown) => Array.from(valuesOf(Buffer.from(JSON.stringify(body)), described));
  expect(ask({ seen: '2024-03-01T00:30+01:00', x: 3 })).toEqual([19782, 2, 29, 3, 23.5, 3]);
  expect(ask({ seen: null, x: 3 })).toEqual([...filled.slice(0, 5), 3]);
  expect(() => ask({ seen: '1.3.2024', x: 3 })).toThrow('column "seen": expected a date, as in 2024-01-31 or 2024-01-31T10:30:00Z, received "1.3.2024"'); // prettier-ignore
});
