import { idOf } from '../../src/report/artifact.ts';
import type { Form } from '../../src/report/artifact.ts';
import { compareReports, shareInterval } from '../../src/report/tables/compare.ts';
import { pairOf, repeatsOf, verdictOf } from '../../src/report/verdict.ts';
import { rowScore } from '../../src/report/score.ts';
import { changeOf, finalModel, paretoFront, stepsOf, summarySentences } from '../../src/report/summary.ts';
import type { ModelRow, Report } from '../../src/report/types.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { reportText } from '../../src/report/render/text.ts';
import { everything } from './everything.ts';
import { betterTwin } from '../../src/report/twin.ts';
import { example } from './example.ts';

describe('the summary', () => {
  it('says size, speed and accuracy beside the teacher, and what the verdict means', () => {
    expect(summarySentences(example)).toEqual([
      'The distilled student is 15× smaller and 6× faster than the teacher, and 0.4 points less accurate.',
      'It beats the same student trained without the teacher, and the difference is more than chance.',
    ]);
  });

  it('after one run of each tells the two models from the method', () => {
    const verdict = (onlyFirst: number, onlySecond: number) => ({
      ...verdictOf([0.95], [0.94]),
      pair: pairOf('test', { onlyFirst, onlySecond, samples: 1000 }),
    });
    const said = (onlyFirst: number, onlySecond: number): string | undefined =>
      summarySentences({ ...example, verdict: verdict(onlyFirst, onlySecond) })[1];
    expect(said(30, 5)).toMatch(
      /^It is better than its twin .*; whether the teacher helps, one run of each cannot tell\.$/,
    );
    expect(said(9, 8)).toMatch(/may be chance; whether the teacher helps, one run of each cannot tell\.$/);
  });

  it.each([
    ['one run', verdictOf([0.9], [0.926], 1000), 'which in one run of each may be chance'],
    [
      'two models that differ',
      { ...verdictOf([0.9], [0.926], 1000), pair: pairOf('test', { onlyFirst: 4, onlySecond: 30, samples: 1000 }) },
      'by more than the choice of samples explains',
    ],
    [
      'two models that may be alike',
      { ...verdictOf([0.9], [0.926], 1000), pair: pairOf('test', { onlyFirst: 27, onlySecond: 29, samples: 1000 }) },
      'which in one run of each may be chance',
    ],
    ['several runs', verdictOf([0.9, 0.901, 0.899], [0.926, 0.927, 0.925], 1000), 'by more than chance'],
    ['several runs that differ much', verdictOf([0.9, 0.95, 0.85], [0.926, 0.927, 0.925]), 'which may be chance'],
  ])('after %s begins with a twin that is ahead, and names its file', (_what, verdict, chance) => {
    const [teacher, scratch, distilled] = example.models;
    const scored = (row: ModelRow, test: number): ModelRow => ({ ...row, score: { validation: test, test } });
    const report = { ...example, verdict, models: [teacher!, scored(scratch!, 0.926), scored(distilled!, 0.9)] };
    const [first, second, ...rest] = summarySentences(report);
    expect(first).toBe(
      `The student trained without the teacher is 2.6 points more accurate than the distilled one, ${chance}: exports/scratch.onnx is the better file.`,
    );
    expect(second).toMatch(/^The distilled student is 15× smaller .*, and 5\.0 points less accurate\.$/);
    expect(rest).toEqual([]);
    expect(reportMarkdown(report).split('\n')[2]).toContain(first);
    const said = reportText(report, 'checkpoints/r').trimEnd().split('\n');
    expect(said.at(-2)).toBe(`${first} ${second}`);
    for (const report of [
      { ...example, verdict: verdictOf([0.926], [0.9265]) },
      { ...example, verdict: verdictOf([0.95], [0.9]) },
    ])
      // prettier-ignore
      expect(summarySentences(report)[0]).not.toContain('trained without');
  });

  it('says the verdict in the last lines of a terminal', () => {
    expect(reportText(example, 'checkpoints/r').trimEnd().split('\n').at(-2)).toBe(
      'The distilled student is 15× smaller and 6× faster than the teacher, and 0.4 points less accurate. ' +
        'It beats the same student trained without the teacher, and the difference is more than chance.',
    );
  });

  it('of another score names the values of the twin and of the student', () => {
    const { mask } = everything;
    const models = mask!.models.map((row) => ({ ...row, score: { validation: 0.5, test: row.id === 'scratch' ? 0.793 : 0.702 } })); // prettier-ignore
    expect(summarySentences({ ...mask!, models, verdict: verdictOf([0.702], [0.793]) })[0]).toBe(
      'The student trained without the teacher has a mean IoU of 79.30 % against 70.20 % of the distilled one, which in one run of each may be chance: exports/scratch.onnx is the better file.',
    );
  });

  it('has a better twin of each file, in the same form where there is one', () => {
    const [teacher, scratch, distilled] = example.models;
    const int8 = { precision: 'int8', method: 'ptq' } as const;
    const rows = [teacher!, { ...scratch!, score: { validation: 0.96, test: 0.97 } }, distilled!, { ...distilled!, ...int8, id: 'distilled-int8' }]; // prettier-ignore
    const report = { ...example, models: rows, verdict: verdictOf([0.946], [0.97]) };
    const file = (id: string, of: Report = report): string | undefined =>
      betterTwin(
        of,
        of.models.find((row) => row.id === id),
      )?.row.id;
    expect(['teacher', 'scratch', 'distilled', 'distilled-int8'].map((id) => file(id))).toEqual([undefined, undefined, 'scratch', 'scratch']); // prettier-ignore
    const both = { ...report, models: [...rows, { ...scratch!, ...int8, id: 'scratch-int8' }] };
    expect(file('distilled-int8', both)).toBe('scratch-int8');
    expect(file('distilled', example)).toBeUndefined();
  });

  it('of several seeds has the mean, not the first', () => {
    const models = example.models.map((model) =>
      model.id === 'distilled' ? { ...model, repeats: repeatsOf([0.946, 0.93, 0.92], 200) } : model,
    );
    expect(rowScore(models[2]!)).toBeCloseTo(0.932, 10);
    expect(summarySentences({ ...example, models })[0]).toMatch(/and 1\.8 points less accurate\.$/);
    // What was made from the first of them is compared with that.
    const int8: ModelRow = {
      ...example.models[2]!,
      precision: 'int8',
      score: { validation: null, test: 0.945 },
    };
    expect(changeOf(int8, models[2]!)).toBeCloseTo(-0.001, 10);
    expect(changeOf(models[2]!, models[1]!)).toBeCloseTo(0.032, 10);
  });

  it('does without what is not there', () => {
    const { verdict, ...rest } = example;
    expect(verdict).toBeDefined();
    const untimed = example.models.map((model) => ({ ...model, latency: [] }));
    expect(summarySentences({ ...rest, models: untimed })).toEqual([
      'The distilled student is 15× smaller than the teacher, and 0.4 points less accurate.',
    ]);
    expect(summarySentences({ ...rest, models: example.models.slice(0, 1) })).toEqual([
      'The teacher model is 3.00 MB and right on 95.00 % of the test samples.',
    ]);
    expect(summarySentences({ ...rest, models: [] })).toEqual([]);
  });

  it('leaves a speed open where the intervals of both medians overlap', () => {
    const [teacher, scratch, student] = example.models;
    const timed = (row: ModelRow, intervalMs: readonly [number, number]): ModelRow => ({ ...row, latency: row.latency.map((one) => ({ ...one, p50Ms: (intervalMs[0] + intervalMs[1]) / 2, intervalMs })) }); // prettier-ignore
    const with1 = (interval: readonly [number, number]) => ({ ...example, models: [timed(teacher!, [1, 3]), scratch!, timed(student!, interval)] }); // prettier-ignore
    expect(summarySentences(with1([0.5, 2.5])).slice(0, 2)).toEqual([
      'The distilled student is 15× smaller than the teacher, and 0.4 points less accurate.',
      'Its speed beside the teacher is not decided (0.40 to 6×): the intervals of both overlap.',
    ]);
    expect(reportHtml(with1([0.5, 2.5]))).toContain(
      '<b>not decided</b><span>which is faster, student or teacher (0.40 to 6×)',
    );
    expect(summarySentences(with1([0.2, 0.6]))[0]).toContain(' and 5× faster than the teacher');
  });

  it('compares times of one measurement alone', () => {
    const remeasured = (scale: number) => (model: ModelRow) => ({
      ...model,
      latency: model.latency.map((row) =>
        row.batchSize === 1 ? { ...row, p50Ms: scale * row.p50Ms, measuredAt: '2026-01-02T03:04:05.000Z' } : row,
      ),
    });
    const [teacher, scratch, student] = example.models;
    // The student alone, ten times as fast as before: batch 8 is still of one measurement.
    const alone = { ...example, models: [teacher!, scratch!, remeasured(0.1)(student!)] };
    expect(summarySentences(alone)[0]).toMatch(/ 15× smaller and 6× faster /);
    const both = { ...example, models: [remeasured(0.2)(teacher!), scratch!, remeasured(0.1)(student!)] };
    expect(summarySentences(both)[0]).toMatch(/ 15× smaller and 12× faster /);
  });

  it('does not call a slower or better student the opposite', () => {
    const [teacher, , student] = example.models;
    const swapped = [
      { ...student!, id: 'teacher', model: teacher!.model },
      { ...teacher!, id: 'distilled', model: student!.model },
    ];
    expect(summarySentences({ ...example, models: swapped })[0]).toBe(
      'The distilled student is 15× larger and 6× slower than the teacher, and 0.4 points more accurate.',
    );
  });
});

it('the twin that is ahead leads the report', () => {
  const models = example.models.map((row) => (row.id === 'scratch' ? { ...row, score: { validation: 0.97, test: 0.97 } } : row)); // prettier-ignore
  const html = reportHtml({
    ...everything['numbers']!,
    dataset: example.dataset,
    models,
    verdict: verdictOf([0.946], [0.97]),
  });
  expect(html).toContain('<p class="lead">The student trained without the teacher is 2.4 points more accurate');
});

describe('the model that a run is about', () => {
  const [, , distilled] = example.models;
  const file = (form: Form, runtime: string): ModelRow => ({
    ...{ ...distilled!, ...form, id: idOf({ model: distilled!.model, ...form }), stage: 'quantize' },
    latency: distilled!.latency.map((row) => ({ ...row, runtime })),
  });
  const INT8 = { format: 'onnx', precision: 'int8', method: 'ptq' } as const;

  it('is the last, in the format that was timed as the teacher was', () => {
    const models = [...example.models, file(INT8, 'onnxruntime'), file({ ...INT8, format: 'tflite' }, 'litert')];
    expect(finalModel({ ...example, models })!.id).toBe('distilled-int8');
    expect(finalModel({ ...example, models: models.filter(({ id }) => id !== 'distilled-int8') })!.id).toBe(
      'distilled-int8-tflite',
    );
    expect(finalModel({ ...example, models: example.models.slice(0, 1) })!.id).toBe('teacher');
  });

  it('is reached by steps, one file of each', () => {
    const tflite = file({ format: 'tflite', precision: 'fp32' }, 'litert');
    const more = [
      file({ ...INT8, format: 'tflite' }, 'litert'),
      file(INT8, 'onnxruntime'),
      file({ ...INT8, method: 'qat' }, 'x'),
    ];
    const models = [...example.models, tflite, ...more];
    expect(stepsOf({ ...example, models }).map(({ id }) => id)).toEqual([
      'scratch',
      'distilled',
      'distilled-int8',
      'distilled-int8-qat',
    ]);
  });
});

describe('the Pareto front', () => {
  it('holds what nothing beats in both, cheapest first', () => {
    const point = (cost: number, score: number) => ({ cost, score });
    const front = paretoFront([point(3, 0.9), point(1, 0.8), point(2, 0.7), point(3, 0.85), point(4, 0.9)]);
    expect(front).toEqual([point(1, 0.8), point(3, 0.9)]);
  });
});

describe('a comparison of runs', () => {
  it('names the keys in which recipes differ, and puts figures side by side', () => {
    const other = {
      ...example,
      name: 'other',
      recipe: { name: 'other', distill: { temperature: 2, note: '</pre><script>' } },
    };
    const { runs, recipe, figures } = compareReports([example, other]);
    expect(runs).toEqual(['example', 'other']);
    expect(recipe).toEqual([{ key: 'distill.temperature', values: [4, 2] }]);
    const figure = (what: string) => figures.find((row) => row.what === what)!.values;
    expect(figure('accuracy of distilled')).toEqual(['94.60 % (90.5 to 97.0)', '94.60 % (90.5 to 97.0)']);
    expect(figure('gain')[0]).toMatch(/^[+-]\d\.\d\d points/);
    expect(compareReports([example, example], ['a/x', 'b/x']).runs).toEqual(['a/x', 'b/x']);
    expect(figure('median in onnxruntime on cpu, batch 8, 1 thread')).toEqual([
      '8.00 ms (7.20 ms to 8.80 ms)',
      '8.00 ms (7.20 ms to 8.80 ms)',
    ]);
  });

  it('has Wilson intervals', () => {
    // 10 of 10: 72.2 % to 100 %; the textbook example.
    const [low, high] = shareInterval(1, 10);
    expect(low).toBeCloseTo(0.722, 3);
    expect(high).toBeCloseTo(1, 6);
  });
});
