import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { usualNumbers } from '../../../src/distill/losses/registry.ts';
import { createLoss, losses } from '../../support/losses.ts';
import type { AnyLoss } from '../../../src/distill/losses/registry.ts';
import { ACROSS_BATCH, LOSSES, NEEDS_LABEL } from '../../../src/recipe/schema/loss.ts';
import { isLossFor } from '../../../src/recipe/task.ts';
import type { LossName } from '../../../src/recipe/schema/loss.ts';
import type { Loss, LossInput } from '../../../src/train/step/loss.ts';
import { useCpu } from '../../support/cpu.ts';
import type { Case } from './reference.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { reference, referenceGradient } from './reference.ts';

beforeAll(useCpu);

const [BATCH, CLASSES] = [6, 5];

function makeCase(name: string, size: number, options: { soft?: boolean; weights?: readonly number[] } = {}): Case {
  const random = new RandomStream('losses', name);
  const matrix = (): number[][] =>
    Array.from({ length: BATCH }, () => Array.from({ length: CLASSES }, () => Math.fround(size * random.normal())));
  const targets = Array.from({ length: BATCH }, (_, i) =>
    Array.from({ length: CLASSES }, (_, k) => {
      if (options.soft !== true) return k === i % CLASSES ? 1 : 0;
      return k === i % CLASSES ? 0.7 : k === (i + 1) % CLASSES ? 0.3 : 0;
    }),
  );
  const w = options.weights ?? Array.from({ length: BATCH }, () => 1);
  return { student: matrix(), teacher: matrix(), targets, w };
}

const rows = (values: readonly (readonly number[])[]): tf.Tensor2D => tf.tensor2d(values.flat(), [BATCH, CLASSES]);

/** Value of the loss and its gradient by the student's logits, row-major. */
function computed(loss: Loss, of: Case): { value: number; gradient: number[] } {
  return tf.tidy(() => {
    const rest: Omit<LossInput, 'studentLogits'> = {
      task: classification(CLASSES),
      teacherLogits: rows(of.teacher),
      targets: rows(of.targets),
      weights: tf.tensor1d([...of.w]),
      studentFeatures: {},
      teacherFeatures: {},
      hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
    };
    const result = tf.valueAndGrad((logits: tf.Tensor) => {
      const studentLogits = logits as tf.Tensor2D;
      // Of a loss of two views both are the same here; test/conformance/views-loss.test.ts has two.
      const strong = { studentLogits, teacherLogits: rest.teacherLogits! };
      return loss.compute({ ...rest, studentLogits, strong }).loss;
    })(rows(of.student));
    return { value: result.value.dataSync()[0]!, gradient: [...result.grad.dataSync()] };
  });
}

function expectClose(actual: readonly number[], expected: readonly number[], relative = 2e-4): void {
  const size = Math.max(...expected.map(Math.abs), 1e-3);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(relative * size);
  });
}

/** Those of classes; test/distill/losses/numbers.test.ts has those of numbers. */
const names = (Object.keys(losses) as AnyLoss[]).filter(
  (name) => losses[name].needs !== 'features' && (name === 'ce' || isLossFor(name, 'classification')),
);

/** Those of the numbers that the loss has. */
function having(name: AnyLoss, numbers: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([key]) => key in usualNumbers(name)));
}

it('has a reference for every loss of logits', () => {
  expect(Object.keys(reference)).toEqual(names);
});

describe.each(names)('%s', (name) => {
  const uneven = [1, 0.25, 3, 0, 2, 0.5];
  const cases: [string, Case, Record<string, number>][] = [
    ['one-hot labels', makeCase('plain', 2), {}],
    ['uneven weights', makeCase('weights', 2, { weights: uneven }), {}],
    ['mixed labels', makeCase('soft', 3, { soft: true, weights: uneven }), {}],
    ['label smoothing', makeCase('smoothing', 2), { labelSmoothing: 0.1, alpha: 0.3 }],
    ['temperature 0.5', makeCase('cold', 1), { temperature: 0.5 }],
    ['temperature 50', makeCase('hot', 5), { temperature: 50 }],
    ['teacher alone', makeCase('alone', 2), { alpha: 1 }],
    ['labels alone', makeCase('labels', 2), { alpha: 0 }],
  ];

  it.each(cases)('value and gradient agree with double precision: %s', (_, of, hyper) => {
    const loss = createLoss(name, { hyper: having(name, hyper) });
    const { value, gradient } = computed(loss, of);
    const expected = reference[name]!(of, loss.hyper);
    expect(Math.abs(value - expected)).toBeLessThan(1e-4 * Math.max(1e-2, Math.abs(expected)));
    expectClose(gradient, referenceGradient(name, of, loss.hyper));
  });

  it.each([0.5, 4, 50])('stays finite with logits of ±10,000 at temperature %d', (temperature) => {
    const of = makeCase('huge', 1);
    const huge = of.student.map((row, i) => row.map((_, k) => ((i + k) % 2 === 0 ? 1e4 : -1e4)));
    const far = of.student.map((row, i) => row.map((_, k) => ((i * k) % 3 === 0 ? 1e4 : -1e4)));
    for (const extreme of [
      { ...of, student: huge },
      { ...of, teacher: huge },
      { ...of, student: huge, teacher: huge },
      { ...of, student: huge, teacher: far },
      { ...of, student: of.student.map((row) => row.map(() => 0)) },
    ]) {
      const { value, gradient } = computed(createLoss(name, { hyper: having(name, { temperature }) }), extreme);
      expect(Number.isFinite(value)).toBe(true);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  it('a weight of 2 counts as two samples', () => {
    const of = makeCase('double', 2);
    const twice = { ...of, w: [2, 1, 1, 1, 1, 0] };
    const repeat = <T>(list: readonly T[]): T[] => [...list.slice(0, 5), list[0]!];
    const written: Case = {
      student: repeat(of.student),
      teacher: repeat(of.teacher),
      targets: repeat(of.targets),
      w: of.w,
    };
    const loss = createLoss(name);
    expect(computed(loss, twice).value).toBeCloseTo(computed(loss, written).value, 5);
  });
});

describe('what the losses are for', () => {
  /** The others have their minimum elsewhere, see below. */
  const equal = names.filter((name) => !['ce', 'ttm', 'wttm', 'nkd', 'mutual'].includes(name));

  it.each(equal)('%s is 0 with gradient 0 when the student equals the teacher', (name) => {
    const of = makeCase('equal', 2);
    const { value, gradient } = computed(createLoss(name, { hyper: { alpha: 1 } }), { ...of, teacher: of.student });
    expect(Math.abs(value)).toBeLessThan(1e-5);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
  });

  it('mutual is the loss with the labels alone where the peer answers as the student does', () => {
    const of = makeCase('alike', 2);
    const [both, labels] = (['mutual', 'ce'] as const).map((name) =>
      computed(createLoss(name), { ...of, teacher: of.student }),
    );
    expect(both!.value).toBeCloseTo(labels!.value, 6);
    expectClose(both!.gradient, labels!.gradient, 1e-6);
    expect(computed(createLoss('mutual'), of).value).toBeGreaterThan(labels!.value + 0.1);
  });

  it.each(['ttm', 'wttm'] as const)(
    '%s is 0 when the student answers as the teacher does at its temperature',
    (name) => {
      const of = makeCase('power', 2);
      const student = of.teacher.map((row) => row.map((v) => v / 5));
      const { value, gradient } = computed(createLoss(name, { hyper: { alpha: 1, temperature: 5 } }), {
        ...of,
        student,
      });
      expect(Math.abs(value)).toBeLessThan(1e-6);
      expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
    },
  );

  it('wttm lets the sample count more whose teacher is unsure: the power sum is 1 when it is sure, K^(1 - 1/T) when it knows nothing', () => {
    const of = makeCase('unsure', 1);
    const unit = (i: number): number[] => of.w.map((_, k) => Number(k === i));
    const values = (name: 'ttm' | 'wttm', teacher: number[]): number => {
      const one = { ...of, teacher: of.teacher.map(() => teacher), w: unit(0) };
      return computed(createLoss(name, { hyper: { alpha: 1, temperature: 2 } }), one).value;
    };
    const [sure, unsure] = [
      [90, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ];
    expect(values('wttm', sure) / values('ttm', sure)).toBeCloseTo(1, 5);
    expect(values('wttm', unsure) / values('ttm', unsure)).toBeCloseTo(Math.sqrt(5), 5);
  });

  it('nkd by hand: three classes, teacher (½, ¼, ¼), student (½, ⅓, ⅙), the first is true', () => {
    const rows = (p: number[]): number[][] => Array.from({ length: BATCH }, () => [...p.map(Math.log), -40, -40]);
    const targets = rows([1, 1, 1]).map(() => [1, 0, 0, 0, 0]);
    const of: Case = {
      student: rows([1 / 2, 1 / 3, 1 / 6]),
      teacher: rows([1 / 2, 1 / 4, 1 / 4]),
      targets,
      w: [1, 1, 1, 1, 1, 1],
    };
    const { value } = computed(createLoss('nkd', { hyper: { alpha: 1 } }), of);
    // -½ log ½ - 1.5 (½ log ⅔ + ½ log ⅓)
    expect(value).toBeCloseTo(0.5 * Math.log(2) + 1.5 * 0.5 * Math.log(9 / 2), 5);
  });

  it('kd keeps the size of its gradient when the temperature rises', () => {
    const of = makeCase('size', 0.5);
    const norm = (temperature: number): number => {
      const { gradient } = computed(createLoss('kd', { hyper: { temperature, alpha: 1 } }), of);
      return Math.hypot(...gradient);
    };
    expect(norm(40) / norm(20)).toBeCloseTo(1, 1);
  });

  it('kd-standardized does not mind the size and the offset of the logits', () => {
    const of = makeCase('standard', 2);
    const moved = { ...of, teacher: of.teacher.map((row) => row.map((v) => 3 * v - 7)) };
    const loss = createLoss('kd-standardized', { hyper: { alpha: 1 } });
    expect(computed(loss, moved).value).toBeCloseTo(computed(loss, of).value, 4);
  });
});

describe('registry', () => {
  const named = names.filter((name): name is LossName => name !== 'ce');

  it('has a loss for every row of the recipe, and ce', () => {
    expect(Object.keys(losses).sort()).toEqual([...Object.keys(LOSSES), 'ce'].sort());
  });

  it('compares inner tensors where the recipe names some', () => {
    const naming = (Object.keys(LOSSES) as LossName[]).filter((name) => 'features' in LOSSES[name].options);
    expect(naming).toEqual((Object.keys(LOSSES) as LossName[]).filter((name) => losses[name].needs === 'features'));
  });

  const ofTeacher = (name: LossName): Loss => createLoss(name, { hyper: having(name, { alpha: 1 }) });

  it('says which losses ask for the true class in the part of the teacher: the others do not change with the labels', () => {
    const of = makeCase('labels asked', 2);
    const other = { ...of, targets: [...of.targets.slice(1), of.targets[0]!] };
    // Beside the answers of a peer the labels always count.
    const apart = named.filter((name) => 'alpha' in usualNumbers(name));
    const asking = apart.filter((name) => {
      const loss = ofTeacher(name);
      return Math.abs(computed(loss, of).value - computed(loss, other).value) > 1e-6;
    });
    expect(asking).toEqual(apart.filter((name) => NEEDS_LABEL.has(name)));
    expect(asking).not.toEqual([]);
  });

  it('says which losses compare the samples of a batch: the others are the mean over the samples', () => {
    const of = makeCase('apart', 2);
    const across = named.filter((name) => {
      const loss = ofTeacher(name);
      const alone = of.w.map((_, i) => computed(loss, { ...of, w: of.w.map((__, k) => Number(k === i)) }).value);
      const mean = alone.reduce((sum, value) => sum + value, 0) / BATCH;
      return Math.abs(computed(loss, of).value - mean) > 1e-4 * Math.abs(mean);
    });
    expect(across).toEqual(named.filter((name) => ACROSS_BATCH.has(name)));
    expect(across).not.toEqual([]);
  });

  it('refuses a number that the loss does not have', () => {
    expect(() => createLoss('mse', { hyper: { temperature: 3 } })).toThrow('the loss mse has no number temperature');
  });
});
