import { reportJson } from '../../src/report/render/json.ts';
import { parseReport } from '../../src/report/read.ts';
import { scoreEntry } from '../../src/report/score.ts';
import type { ModelRow, Report } from '../../src/report/types.ts';
import { example } from './example.ts';

const distilled = { role: 'distilled', repeat: 0 } as const;
const pruned = { role: 'pruned', repeat: 0, step: 5 } as const;

/** A report as it was written when every score was called accuracy. */
function version2(report: Report): Record<string, unknown> {
  const text = reportJson(report).replaceAll('"score":', '"accuracy":').replaceAll('"scores":', '"accuracies":');
  const { accuracy, dataset, ...rest } = JSON.parse(text) as Record<string, unknown>;
  expect(accuracy).toBeDefined();
  const { task, ...data } = dataset as Report['dataset'];
  return { ...rest, version: 2, dataset: { ...data, ...(task !== 'classification' && { task }) } };
}

/** A report as version 0.1 wrote it, with a row for each id. */
function version1(rows: readonly Partial<ModelRow>[], rest: object = {}): string {
  const { models, ...report } = version2(example);
  const { model, ...old } = (models as Record<string, unknown>[])[2]!;
  expect(model).toBeDefined();
  return JSON.stringify({ ...report, ...rest, version: 1, models: rows.map((own) => ({ ...old, ...own })) });
}

it.each<[string, Partial<ModelRow>, object]>([
  ['teacher', { file: null, format: 'onnx, tfjs' }, { model: { role: 'teacher', repeat: 0 } }],
  ['teacher', { file: 'teacher.onnx' }, { model: { role: 'teacher', repeat: 0 } }],
  ['scratch', {}, { model: { role: 'scratch', repeat: 0 } }],
  ['distilled-tflite', { format: 'tflite' }, { model: distilled }],
  ['distilled-dynamic-int8', { precision: 'dynamic-int8' }, { model: distilled, method: 'ptq' }],
  ['distilled-int8-2', { precision: 'int8' }, { model: distilled, method: 'ptq', number: 2 }],
  ['pruned-5', {}, { model: pruned }],
  ['pruned-5-int8-qat-2-tflite', { format: 'tflite', precision: 'int8' }, { model: pruned, method: 'qat', number: 2 }],
  // Reports of stopped runs called it fp32.
  ['pruned-5-int16x8-tflite', { format: 'tflite' }, { model: pruned, method: 'ptq', precision: 'int16x8' }],
])('a report of version 1 meant by %s', (id, row, meant) => {
  const steps = { recipe: { prune: [1, 2, 3, 4, 5], quantize: [1, 2] } };
  const { version, models } = parseReport(version1([{ id, ...row }], steps));
  expect([version, models.length]).toEqual([3, 1]);
  expect(models[0]).toMatchObject({ id, ...meant });
  expect([models[0]!.method, models[0]!.number]).toEqual([(meant as ModelRow).method, (meant as ModelRow).number]);
});

it('a report of version 1 is refused if no run can have made a model of it', () => {
  expect(() => parseReport(version1([{ id: 'distiled' }]))).toThrow('has no model distiled');
  expect(() => parseReport(version1([{ id: 'pruned-2' }]))).toThrow('has no model pruned-2');
});

it.each(['classification', 'regression', 'multi-label'] as const)(
  'a report of version 2 says the same of %s',
  (task) => {
    const report = { ...example, dataset: { ...example.dataset, task }, score: scoreEntry(task) };
    const [distilled] = report.models.slice(2);
    const repeats = { scores: [0.9, 0.92], mean: 0.91, interval: [0.89, 0.93] as const };
    const several = { ...report, models: [...report.models, { ...distilled!, repeats }] };
    expect(parseReport(JSON.stringify(version2(several)))).toEqual(several);
  },
);

it('a report of more models than charts can show is refused by their number', () => {
  const many = JSON.stringify({ ...example, models: Array.from({ length: 2001 }, () => example.models[0]) });
  expect(() => parseReport(many, 'run/report.json')).toThrow(
    'run/report.json: received 2001 models, expected at most 2000',
  );
});

it('a report of a later version is refused by its number', () => {
  const later = JSON.stringify({ ...example, version: 4 });
  expect(() => parseReport(later, 'run/report.json')).toThrow(
    'run/report.json: it is a report of version 4, and this Limbeck reads versions 1 to 3',
  );
});
