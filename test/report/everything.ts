import type { ModelRow, Report } from '../../src/report/types.ts';
import { scoreEntry } from '../../src/report/score.ts';
import { example } from './example.ts';

type Task = Report['dataset']['task'];
type Examples = NonNullable<Report['examples']>;
type Shown = Examples['rows'][number];

const PNG = 'iVBORw0KGgo=';
const split = 'test' as const;
const names = ['cat', 'dog'];

/** A report of another task, whose models have `part` and answer some samples differently, without what `classes` has already. */
function of(task: Task, part: Partial<ModelRow> & Readonly<Record<string, unknown>>, shown: Partial<Shown>): Report {
  const { version, name, seed, status, wallSeconds, machine, parity, notes } = example;
  const models = example.models.map(({ confusion, calibration, agreement, ...row }) => {
    expect([confusion, calibration, agreement]).toHaveLength(3);
    return { ...row, latency: [], ...part };
  });
  const row = { sample: 'test-7.png', label: 'cat', teacher: 'cat', student: 'dog', ...shown };
  return {
    ...{ version, name, seed, status, wallSeconds, machine, parity, notes, models },
    dataset: { ...example.dataset, task, classNames: names },
    score: scoreEntry(task),
    examples: { model: 'distilled', split, differ: 12, samples: 200, rows: [row, { ...row, sample: 'test-8.png' }] },
  };
}

const share = { precision: 0.5, recall: 0.4, f1: 0.45 };
const counted = { there: 30, given: 20, right: 15 };
const point = { point: 0, name: 'cat', x: 0.2, y: 0.5 };
const box = { name: 'cat', xmin: 0.1, ymin: 0.2, xmax: 0.5, ymax: 0.6 };
const bins = [{ samples: 9, probability: 0.3, share: 0.25 }];
const ap = { ap50: 0.8, ap75: 0.6, recall: 0.7, small: null, medium: 0.5, large: 0.6 };

const later = ({ latency }: ModelRow): ModelRow['latency'] =>
  latency.map((timed) => ({ ...timed, measuredAt: '2026-01-02T03:04:05.000Z' }));

/** Reports that have together everything that a report can have, by the form of their answers. */
export const everything: Readonly<Record<string, Report>> = {
  classes: {
    ...example,
    status: 'failed',
    stopped: { stage: 'quantize', reason: 'the disk is full' },
    dataset: { ...example.dataset, labelledBy: 'teacher.onnx' },
    models: example.models.map((row) => ({
      ...row,
      latency: later(row),
      answerFile: {
        ...{ outputs: 'probabilities', file: `exports/${row.id}-probabilities.onnx`, sizeBytes: 200_100 },
        ...{ samples: 200, agreement: 1, latency: later(row) },
      },
      stream: {
        ...{ file: `exports/${row.id}-stream.onnx`, sizeBytes: 30_637, hop: 2, window: 64, kept: 972, macs: 5280 },
        ...{ samples: 232, largestError: 0.2, sqnrDb: 29.1, agreement: 0.957, latency: later(row) },
      },
    })),
    verdict: {
      ...example.verdict!,
      pair: {
        ...{ split, samples: 200, onlyDistilled: 12, onlyScratch: 3, difference: 0.045, interval: [0.01, 0.08] },
        ...{ p: 0.035, sentence: 'of 200 test samples the distilled student alone has 12 right' },
      },
    },
    examples: {
      ...{ model: 'distilled', split, differ: 12, samples: 200 },
      rows: [
        { sample: 'test-1', label: 'cat', teacher: 'cat', student: 'dog', picture: PNG },
        { sample: 'test-2', teacher: 'cat', student: 'dog', sound: { wav: 'UklGRg==', seconds: 1 } },
        { sample: 'test-3', teacher: 'cat', student: 'dog', texts: ['a question', 'an answer'] },
        { sample: 'test-4', teacher: 'cat', student: 'dog', values: [{ name: 'age', value: 4 }, { name: 'sex', value: 'f' }] }, // prettier-ignore
      ],
    },
    search: {
      target: { runtime: 'onnxruntime', batchSize: 1, threads: 1, p95Ms: 2, sizeKb: 300, maxDrop: 1 },
      points: ['width-0.5', 'width-1'].map((id, i) => ({
        ...{ id, width: 0.5 + i / 2, amount: 0.3, precision: 'int8', epochs: 3, params: 9000, sizeBytes: 20_000 },
        ...{ validation: 0.9, p50Ms: 1, p95Ms: 1.5 + i, onFront: i === 0, withinBudget: true },
      })),
      ...{ pick: 'width-0.5', withinBudget: true, sentence: 'width-0.5 is the best within the budget' },
    },
    race: {
      ...{ epochs: 6, pick: 0 },
      candidates: ['kd', 'dkd'].map((loss, i) => ({
        ...{ loss, numbers: { temperature: 4, alpha: 0.5 } },
        rounds: [
          { epochs: 1, validation: 0.8 },
          { epochs: 2, validation: 0.85 },
        ].slice(0, 2 - i),
      })),
    },
    parity: [
      {
        ...{ file: 'exports/distilled.onnx', samples: 512, largestError: 1e-6, cosine: { mean: 1, least: 0.99 } },
        outputs: [{ name: 'species', largestError: 1e-6, sqnrDb: 80 }],
      },
    ],
  },
  numbers: of(
    'regression',
    {
      errors: {
        split,
        rows: names.map((name) => ({ name, mae: 1.5, rmse: 2, r2: 0.8, bias: -0.1 })),
        points: names.map(() => [
          [1, 1.2],
          [2, 1.9],
        ]),
      },
    },
    {},
  ),
  labels: of(
    'multi-label',
    {
      labels: {
        ...{ split, meanAveragePrecision: 0.7, rightDecisions: 0.9, ece: 0.02 },
        rows: names.map((name) => ({
          ...{
            name,
            samples: 30,
            averagePrecision: 0.7,
            f1: 0.6,
            threshold: 0.4,
            f1AtThreshold: 0.65,
            ece: 0.02,
            bins,
          },
        })),
      },
    },
    {},
  ),
  tags: of(
    'tagging',
    {
      entities: {
        ...{ split, words: 900, rightWords: 0.9, precision: 0.5, recall: 0.4 },
        rows: names.map((name) => ({ name, ...counted, ...share })),
      },
    },
    {
      marked: {
        words: ['Ada', 'Lovelace', 'wrote'],
        label: [{ type: 'cat', from: 0, to: 1 }],
        ...{ teacher: [{ type: 'cat', from: 0, to: 1 }], student: [{ type: 'dog', from: 2, to: 2 }] },
      },
    },
  ),
  mask: of(
    'segmentation',
    {
      masks: {
        ...{ split, pixels: 9000, rightPixels: 0.9 },
        rows: names.map((name) => ({ name, ...counted, iou: 0.6, dice: 0.75 })),
        counts: [
          [20, 10],
          [5, 25],
        ],
      },
    },
    { picture: PNG, masks: { label: PNG, teacher: PNG, student: PNG, int8: PNG } },
  ),
  boxes: of(
    'detection',
    {
      boxes: {
        ...{ split, ap: 0.5, ...ap },
        rows: names.map((name) => ({ name, there: 30, ap: 0.5, ap50: 0.8, recall: 0.7 })),
      },
    },
    { picture: PNG, boxes: { label: [box], teacher: [{ ...box, score: 0.9 }], student: [{ ...box, score: 0.6 }] } },
  ),
  points: of(
    'points',
    {
      points: {
        split,
        there: 300,
        within: [{ distance: 0.05, share: 0.6 }],
        auc: 0.5,
        error: 0.04,
        median: 2.1,
        ap: 0.5,
        ap50: 0.8,
        ap75: 0.5,
        recall: 0.6,
        rows: names.map((name) => ({ name, there: 30, within: [0.6], error: 0.04, median: 2.1 })),
      },
    },
    {
      picture: PNG,
      points: {
        lines: [[0, 1]],
        label: [point, { ...point, point: 1, x: 0.6, isHidden: true }],
        teacher: [{ ...point, score: 0.9 }],
        student: [{ ...point, score: 0.6 }],
      },
    },
  ),
  vectors: of(
    'embedding',
    {
      vectors: {
        ...{ split, samples: 200, queries: 190 },
        rows: (['float32', 'int8', 'binary'] as const).map((precision) => ({
          ...{ size: 16, precision, bytes: 64, recall1: 0.5, recall5: 0.7, recall10: 0.8, map: 0.4 },
        })),
      },
      likeness: { split, cosine: 0.98, overlap: 0.7 },
    },
    { picture: PNG },
  ),
  pairs: of(
    'sentence-similarity',
    {
      vectors: {
        ...{ split, samples: 200, queries: 190 },
        rows: [{ size: 16, precision: 'float32', bytes: 64, spearman: 0.8 }],
      },
    },
    { texts: ['one', 'two'] },
  ),
};
