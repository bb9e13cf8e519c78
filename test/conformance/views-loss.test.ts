import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { usualNumbers } from '../../src/distill/losses/registry.ts';
import { createLoss } from '../support/losses.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';

const [BATCH, CLASSES] = [7, 5];
const shape = [BATCH, CLASSES] as const;
const LABELS = Array.from({ length: BATCH }, (_, row) => (row * 3) % CLASSES);
const WEIGHTS = Array.from({ length: BATCH }, (_, row) => 0.5 + (row % 3));

beforeAll(() => useLazyBackend(evaluator));

function normals(key: string, scale: number): Float32Array {
  const random = new RandomStream('conformance', key);
  return Float32Array.from({ length: BATCH * CLASSES }, () => random.normal() * scale);
}

const rows = (values: Float32Array): number[][] =>
  Array.from({ length: BATCH }, (_, row) => [...values.subarray(row * CLASSES, (row + 1) * CLASSES)]);

/** Some answers of the teacher are above the thresholds, and some below. */
const settings = [{}, { temperature: 2, alpha: 0.9, within: 0.6, across: 0.8, labelSmoothing: 0.1 }];

it('the loss of two views and its gradients by both are those of PyTorch in double precision', async () => {
  const given = { s1: normals('s1', 2), s2: normals('s2', 2), t1: normals('t1', 3), t2: normals('t2', 2) };
  const hypers = settings.map((setting) => ({ ...usualNumbers('crld'), ...setting }));
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  const [students, teachers] = [
    [rows(given.s1), rows(given.s2)],
    [rows(given.t1), rows(given.t2)],
  ];
  const cases = hypers.map((hyper) => ({ views: 'crld', students, teachers, labels: LABELS, weights: WEIGHTS, hyper }));
  writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
  const expected = runPython('losses_check.py', folder) as { loss: number; gradients: number[][] }[];
  rmSync(folder, { recursive: true });

  const float = { dtype: 'float32', shape } as const;
  for (const [i, hyper] of hypers.entries()) {
    const loss = createLoss('crld', { hyper });
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
    const step = await engine.compile({
      feeds: {
        s1: float,
        s2: float,
        t1: float,
        t2: float,
        targets: float,
        weights: { dtype: 'float32', shape: [BATCH] },
      },
      state: {},
      run: (feeds) => {
        const of = (name: string): tf.Tensor2D => feeds[name] as tf.Tensor2D;
        const { value, grads } = tf.valueAndGrads(
          (plain: tf.Tensor, strong: tf.Tensor) =>
            loss.compute({
              task: classification(CLASSES),
              studentLogits: plain as tf.Tensor2D,
              teacherLogits: of('t1'),
              strong: { studentLogits: strong as tf.Tensor2D, teacherLogits: of('t2') },
              targets: of('targets'),
              weights: feeds['weights'] as tf.Tensor1D,
              studentFeatures: {},
              teacherFeatures: {},
              hyper: Object.fromEntries(Object.entries(hyper).map(([key, number]) => [key, tf.scalar(number)])),
            }).loss,
        )([feeds['s1']!, feeds['s2']!]);
        return { value, g0: grads[0]!, g1: grads[1]! };
      },
    });
    const targets = Float32Array.from(LABELS.flatMap((label) => rows(given.s1)[0]!.map((_, k) => Number(k === label))));
    const results = await step.run({ ...given, targets, weights: Float32Array.from(WEIGHTS) });
    const { loss: value, gradients } = expected[i]!;
    expect((results['value'] as Float32Array)[0]).toBeCloseTo(value, 4);
    for (const [k, gradient] of gradients.entries()) {
      const scale = Math.max(...gradient.map(Math.abs));
      const worst = Math.max(...gradient.map((right, at) => Math.abs(right - (results[`g${k}`] as Float32Array)[at]!)));
      expect(worst / scale).toBeLessThan(1e-4);
    }
    await step.dispose();
  }
});
