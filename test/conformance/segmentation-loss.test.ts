import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { classWeights } from '../../src/data/splits/class-weights.ts';
import { IGNORED } from '../../src/data/targets/ignored.ts';
import { createLoss } from '../support/losses.ts';
import { segmentation } from '../../src/answers/mask/task.ts';
import { lossInput } from '../../src/train/step/step.ts';
import { useCpu } from '../support/cpu.ts';
import { runPython } from './python.ts';

beforeAll(useCpu);

interface Expected {
  readonly loss: number;
  readonly gradient: readonly number[];
}

/** Answers and masks of some pictures, in which every third class is rare and a few pixels have no class. */
function drawn(key: number) {
  const random = new RandomStream('segmentation loss', key);
  const [samples, height, width, classes] = [1 + random.below(4), 2 + random.below(4), 3 + random.below(4), 2 + random.below(4)]; // prettier-ignore
  const logits = (): number[] => Array.from({ length: samples * height * width * classes }, () => Math.fround(2 * random.normal())); // prettier-ignore
  const masks = Uint8Array.from({ length: samples * height * width }, () => {
    const chance = random.uniform();
    return chance < 0.1 ? IGNORED : chance < 0.8 ? 0 : random.below(classes);
  });
  const own = Float32Array.from({ length: classes }, () => random.uniform() * 2);
  const weights = ([null, classWeights('balanced', masks, classes), own] as const)[key % 3] ?? null;
  const loss = key % 2 === 0 ? ('ce' as const) : ('cwd-logits' as const);
  return {
    ...{ samples, height, width, classes, masks, loss, student: logits(), teacher: logits() },
    ...{ weights, dice: [undefined, 1, 0.3][random.below(3)], alpha: 0.6, temperature: 1 + random.below(4) },
  };
}

type Case = ReturnType<typeof drawn>;

function ours({ samples, height, width, classes, masks, weights, dice, loss: name, ...one }: Case) {
  const classNames = Array.from({ length: classes }, (_, c) => `class ${c}`);
  const data = { classNames, sampleShape: [height, width, 3], stride: 1 };
  const task = segmentation({ ...data, ...(weights && { pixelWeights: weights }) });
  const hyper = name === 'ce' ? {} : { alpha: one.alpha, temperature: one.temperature };
  const loss = createLoss(name, { hyper, ofLabels: task.labelNumbers({ labelSmoothing: 0, dice }) });
  const numbers = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, tf.scalar(value)] as const);
  const { targets } = task.fed(masks, 'masks');
  const weightsOf = task.weightOf!(masks);
  const valueOf = (answers: tf.Tensor): tf.Scalar => {
    const feeds = {
      ...(name === 'ce' ? {} : { teacherLogits: tf.tensor2d(one.teacher, [samples, task.width]) }),
      ...Object.fromEntries(numbers),
    };
    const rest = {
      studentLogits: answers as tf.Tensor2D,
      targets: tf.tensor2d(targets as Float32Array, [samples, task.width]),
      weights: tf.tensor1d(weightsOf),
      studentFeatures: {},
    };
    return loss.compute(lossInput(loss, task, feeds, rest)).loss;
  };
  const { value, grad } = tf.valueAndGrad(valueOf)(tf.tensor2d(one.student, [samples, task.width]));
  return { loss: value.dataSync()[0]!, gradient: grad.dataSync() };
}

/** Values of [samples, height, width, each] as nested lists. */
function nested(values: ArrayLike<number>, [samples, height, width]: readonly number[], each?: number): unknown {
  const at = (from: number) => (each === undefined ? values[from] : Array.from({ length: each }, (_, c) => values[from * each + c])); // prettier-ignore
  return Array.from(
    { length: samples! },
    (_, n) =>
    Array.from({ length: height! }, (_y, y) => Array.from({ length: width! }, (_x, x) => at((n * height! + y) * width! + x))), // prettier-ignore
  );
}

it('class weights, Dice and channel-wise distillation on logits are those of PyTorch, value and gradient', () => {
  const cases = Array.from({ length: 60 }, (_, key) => drawn(key)).filter(({ masks, loss, weights }) => {
    // PyTorch gives NaN where no pixel has a weight. Pictures weigh as their pixels, and mmrazor's loss weighs all pictures the same.
    const known = masks.some((value) => value !== IGNORED && weights?.[value] !== 0);
    return known && (loss === 'ce' || (weights === null && masks.every((value) => value !== IGNORED)));
  });
  const whole = cases.concat(
    Array.from({ length: 20 }, (_, key) => drawn(100 + 2 * key + 1)).map((one) => ({
      ...one,
      ...{ masks: one.masks.map((value) => (value === IGNORED ? 0 : value)), weights: null },
    })),
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    const written = whole.map(({ samples, height, width, classes, masks, ...one }) => {
      const size = [samples, height, width];
      return {
        ...one,
        ...{ masks: nested(masks, size), student: nested(one.student, size, classes), teacher: nested(one.teacher, size, classes) }, // prettier-ignore
        ...{ weights: one.weights && [...one.weights], dice: one.dice ?? null },
      };
    });
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(written));
    const expected = runPython('segmentation_loss.py', folder) as Expected[];
    expect(whole.filter(({ loss }) => loss === 'cwd-logits').length).toBeGreaterThan(15);
    expect(whole.filter(({ dice, weights }) => dice !== undefined && weights !== null).length).toBeGreaterThan(5);
    for (const [i, one] of whole.entries()) {
      const found = ours(one);
      const { loss, gradient } = expected[i]!;
      const scale = Math.max(...gradient.map(Math.abs));
      const worst = Math.max(...gradient.map((value, at) => Math.abs(value - found.gradient[at]!))) / scale;
      expect([i, Math.abs(found.loss - loss) < 1e-5 * Math.max(1, Math.abs(loss))]).toEqual([i, true]);
      expect([i, worst < 1e-5]).toEqual([i, true]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
