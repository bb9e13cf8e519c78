import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { errorsOf } from '../../src/answers/numbers/errors.ts';
import { labelReport, macroF1 } from '../../src/answers/labels/figures.ts';
import { IGNORED } from '../../src/data/targets/ignored.ts';
import { masksOf } from '../../src/answers/mask/masks.ts';
import { segmentation } from '../../src/answers/mask/task.ts';
import { useCpu } from '../support/cpu.ts';
import { runPython } from './python.ts';

function byScikitLearn(cases: readonly object[]): unknown[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('metrics_check.py', folder) as unknown[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Sampled {
  readonly answers: number[][];
  readonly targets: number[][];
}

/** Rows of `width` numbers: labels, and answers that have something to do with them. */
function sampled(key: string, width: number, label: (random: RandomStream, c: number) => number, step = 0): Sampled {
  const random = new RandomStream('metrics', key);
  const targets = Array.from({ length: 60 }, () => Array.from({ length: width }, (_, c) => label(random, c)));
  const noisy = (value: number): number => {
    const answer = 2 * value - 1 + random.normal();
    // Answers that are equal are what orders are easily got wrong by.
    return step === 0 ? answer : Math.round(answer / step) * step;
  };
  return { answers: targets.map((row) => row.map(noisy)), targets };
}

it('the scores of classes that a recipe can choose are those of scikit-learn, collected over batches too', () => {
  const cases = Array.from({ length: 40 }, (_, i) => {
    const random = new RandomStream('classes', i);
    const width = 2 + (i % 4);
    // The last class of some cases is nowhere, and answers of some are equal.
    const there = width - (width > 2 && i % 3 === 0 ? 1 : 0);
    const targets = Array.from({ length: 80 }, (_, at) =>
      at < there ? at : Math.floor(there * random.uniform() ** 2),
    );
    const step = [0, 0.5, 1][i % 3]!;
    const answers = targets.map((label) =>
      Array.from({ length: width }, (_, c) => {
        const answer = 2 * random.normal() + (c === label ? 1.5 : 0);
        return step === 0 ? Math.fround(answer) : Math.round(answer / step) * step;
      }),
    );
    return { targets, answers };
  });
  const expected = byScikitLearn(cases.map((one) => ({ task: 'classes', ...one }))) as Record<string, number>[];
  cases.forEach(({ answers, targets }, i) => {
    const [logits, labels] = [Float32Array.from(answers.flat()), Int32Array.from(targets)];
    for (const name of ['roc-auc', 'macro-f1', 'log-loss'] as const) {
      const { scoreOf, collects } = classification(answers[0]!.length, name);
      expect(scoreOf(logits, labels)).toBeCloseTo(expected[i]![name]!, 10);
      if (collects === undefined) continue;
      const half = (from: number, to: number): Float32Array =>
        collects.of(Float32Array.from(answers.slice(from, to).flat()), labels.subarray(from, to));
      const collected = Float32Array.from([...half(0, 32), ...half(32, 80)]);
      expect(collects.scoreOf(collected)).toBeCloseTo(expected[i]![name]!, 10);
    }
  });
});

it('errors of predicted numbers are those of scikit-learn', () => {
  const cases = Array.from({ length: 20 }, (_, i) =>
    sampled(`numbers ${i}`, 1 + (i % 3), (random, c) => 10 ** c * random.normal()),
  );
  const expected = byScikitLearn(cases.map((one) => ({ task: 'regression', ...one })));
  cases.forEach(({ answers, targets }, i) => {
    const names = targets[0]!.map((_, c) => `n${c}`);
    const { rows } = errorsOf(answers.flat(), targets.flat(), names);
    (expected[i] as Record<string, number>[]).forEach((row, c) => {
      for (const [name, value] of Object.entries(row)) expect(rows[c]![name as 'mae']).toBeCloseTo(value, 10);
    });
  });
});

interface LabelFigures {
  readonly macroF1: number;
  readonly rightDecisions: number;
  readonly averagePrecision: readonly (number | null)[];
  readonly reliability: readonly {
    readonly ece: number;
    readonly samples: readonly number[];
    readonly probability: readonly number[];
    readonly share: readonly number[];
  }[];
}

it('F1, average precision and calibration of several labels are those of scikit-learn, also with equal answers and labels that nobody has', () => {
  const cases = Array.from(
    { length: 40 },
    (_, i) =>
    sampled(`labels ${i}`, 4, (random, c) => (random.uniform() < [0.5, 0.1, 0.9, i % 5 === 0 ? 0 : 0.3][c]! ? 1 : 0), [0, 0.5, 1][i % 3]), // prettier-ignore
  );
  const expected = byScikitLearn(cases.map((one) => ({ task: 'labels', ...one })));
  cases.forEach(({ answers, targets }, i) => {
    const of = { answers: answers.flat(), targets: targets.flat() };
    const { rows, rightDecisions } = labelReport(of, ['a', 'b', 'c', 'd']);
    const wanted = expected[i] as LabelFigures;
    expect(macroF1(of, 4)).toBeCloseTo(wanted.macroF1, 10);
    expect(rightDecisions).toBeCloseTo(wanted.rightDecisions, 10);
    rows.forEach(({ averagePrecision, ece, bins }, c) => {
      const curve = wanted.reliability[c]!;
      const held = bins!.filter(({ samples }) => samples > 0);
      expect(ece).toBeCloseTo(curve.ece, 10);
      expect(held.map(({ samples }) => samples)).toEqual(curve.samples);
      held.forEach(({ probability, share }, bin) => {
        expect(probability).toBeCloseTo(curve.probability[bin]!, 10);
        expect(share).toBeCloseTo(curve.share[bin]!, 10);
      });
      if (wanted.averagePrecision[c] === null) expect(averagePrecision).toBeNull();
      else expect(averagePrecision).toBeCloseTo(wanted.averagePrecision[c]!, 10);
    });
  });
});

interface MaskFigures {
  readonly given: readonly number[];
  readonly meanIou: number;
  readonly iou: readonly (number | null)[];
  readonly dice: readonly (number | null)[];
  readonly loss: number;
}

it("masks are those of PyTorch's interpolate, IoU and Dice those of scikit-learn, and the loss PyTorch's with soft targets", async () => {
  await useCpu();
  const cases = Array.from({ length: 20 }, (_, i) => {
    const random = new RandomStream('masks', i);
    const grid = { rows: 1 + random.below(6), columns: 1 + random.below(6), classes: 2 + random.below(4), stride: [1, 2, 4][i % 3]! }; // prettier-ignore
    const [height, width] = [grid.rows * grid.stride, grid.columns * grid.stride];
    const samples = 1 + random.below(4);
    // Classes in patches; the last class of some cases is nowhere.
    const classes = grid.classes - (i % 4 === 0 ? 1 : 0);
    const targets = Array.from({ length: samples * height * width }, (_, at) =>
      random.uniform() < 0.1 ? IGNORED : random.uniform() < 0.7 ? Math.floor(at / 5) % classes : random.below(classes),
    );
    const answers = Array.from({ length: samples * grid.rows * grid.columns * grid.classes }, () => Math.fround(random.normal())); // prettier-ignore
    return { grid, height, width, samples, targets, answers };
  });
  const expected = byScikitLearn(
    cases.map(({ grid, targets, answers }) => ({ task: 'masks', ...grid, targets, answers })),
  );
  cases.forEach(({ grid, height, width, samples, targets, answers }, i) => {
    const wanted = expected[i] as MaskFigures;
    const classNames = Array.from({ length: grid.classes }, (_, c) => `class ${c}`);
    const task = segmentation({ classNames, sampleShape: [height, width, 3], stride: grid.stride });
    const [given, truth] = [Float32Array.from(answers), Uint8Array.from(targets)];
    const masks = masksOf(given, grid);
    // Only pixels between two equal logits may differ, by a rounding.
    expect(masks.filter((value, at) => value !== wanted.given[at]).length).toBe(0);
    expect(task.scoreOf(given, truth)).toBeCloseTo(wanted.meanIou, 12);
    const { rows } = task.describe(given, truth).masks!;
    expect(rows.map(({ iou }) => iou === null)).toEqual(wanted.iou.map((iou) => iou === null));
    rows.forEach(({ iou, dice }, c) => {
      expect(iou ?? -1).toBeCloseTo(wanted.iou[c] ?? -1, 12);
      expect(dice ?? -1).toBeCloseTo(wanted.dice[c] ?? -1, 12);
    });
    const labels = tf.tensor2d(Int32Array.from(targets), [samples, height * width], 'int32');
    const weights = task.rows!.weights(tf.tensor1d(task.weightOf!(truth)), labels);
    const tensor = tf.tensor2d(given, [samples, task.width]);
    const losses = task.loss(task.rows!.of(tensor), task.rows!.targets!(labels, tensor), {});
    const [sum] = tf.div(tf.sum(tf.mul(losses, weights)), tf.sum(weights)).dataSync();
    expect(sum).toBeCloseTo(wanted.loss, 5);
  });
});
