import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { openTeacher } from '../../src/distill/teachers/open.ts';
import type { Teacher } from '../../src/distill/teachers/teacher.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import type { TeacherRecipe } from '../../src/recipe/schema/teacher.ts';
import { writeLinearModel } from '../support/saved-model.ts';

const WEIGHTS = Float32Array.of(1, -2, 0.5, 0, 3, -1, 2, 2, -2, -1, 0.25, 4);
const [N, CLASSES] = [5, 3];

let folder: string;
beforeAll(async () => {
  useLazyBackend(evaluator);
  folder = await mkdtemp(path.join(tmpdir(), 'limbeck-'));
  await writeLinearModel(path.join(folder, 'model'), WEIGHTS);
  await writeLinearModel(
    path.join(folder, 'other'),
    WEIGHTS.map((value) => 2 * value),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const x = Float32Array.from({ length: N * 4 }, (_, i) => ((i * 7) % 11) / 5 - 1);
const dataset: Dataset = {
  name: 'validation',
  idPrefix: 'train',
  count: N,
  ids: Int32Array.of(0, 1, 2, 3, 4),
  sampleShape: [2, 2, 1],
  classNames: ['a', 'b', 'c'],
  task: 'classification',
  targets: Int32Array.of(0, 1, 2, 0, 1),
  normalization: { scale: 1, mean: [0], std: [1] },
  samples: x,
};

/** [n, 3], computed here. */
const expected = Array.from({ length: N * CLASSES }, (_, i) => {
  const [row, column] = [Math.floor(i / CLASSES), i % CLASSES];
  return [0, 1, 2, 3].reduce((sum, k) => sum + x[row * 4 + k]! * WEIGHTS[k * CLASSES + column]!, 0);
});

async function open(model: string, keys: Partial<TeacherRecipe> = {}): Promise<Teacher> {
  const recipe: TeacherRecipe = {
    savedModel: path.join(folder, model),
    layout: 'auto',
    outputs: 'auto',
    intermediate: [],
    ...keys,
  };
  const engine = createOnnxRuntimeEngine({ device: 'cpu' });
  const session = sessionOptions('cpu', { threads: 1 });
  const { teacher } = await openTeacher(recipe, { engine, session, dataset, name: (file) => path.basename(file) });
  return teacher;
}

const close = (values: Float32Array, wanted: readonly number[]): void => {
  expect(values).toHaveLength(wanted.length);
  wanted.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 5));
};

describe('a TensorFlow SavedModel as a teacher', () => {
  it('answers for any number of samples, and with the other outputs of its signature', async () => {
    const teacher = await open('model', { intermediate: ['flat'] });
    expect(teacher).toMatchObject({ name: 'model', classes: 3, params: 12, featureShapes: { flat: [4] } });
    expect(teacher.sizeBytes).toBeGreaterThan(4 * WEIGHTS.length);
    for (const n of [N, 1]) {
      const { logits, features } = await teacher.answer(x.subarray(0, 4 * n), n);
      close(logits, expected.slice(0, n * CLASSES));
      expect(features['flat']).toEqual(x.slice(0, 4 * n));
    }
    await teacher.dispose();
  });

  it('takes the signature that is named, and probabilities as logits', async () => {
    const teacher = await open('model', { signature: 'chances' });
    const { logits } = await teacher.answer(x, N);
    const sums = Array.from({ length: N }, (_, row) =>
      [0, 1, 2].reduce((sum, column) => sum + Math.exp(expected[row * CLASSES + column]!), 0),
    );
    close(
      logits,
      expected.map((value, i) => value - Math.log(sums[Math.floor(i / CLASSES)]!)),
    );
    await teacher.dispose();
  });

  it('has the classes in its own order where the recipe says so', async () => {
    const teacher = await open('model', { classes: ['c', 'a', 'b'] });
    const { logits } = await teacher.answer(x, N);
    const order = [1, 2, 0];
    close(
      logits,
      expected.map((_, i) => expected[i - (i % CLASSES) + order[i % CLASSES]!]!),
    );
    await teacher.dispose();
  });

  it('has a key that follows its content and its signature', async () => {
    const teachers = [
      await open('model'),
      await open('model'),
      await open('other'),
      await open('model', { signature: 'chances' }),
    ];
    const [first, again, other, signature] = teachers.map(({ key }) => key);
    expect(again).toBe(first);
    expect(new Set([first, other, signature]).size).toBe(3);
    for (const teacher of teachers) await teacher.dispose();
  });

  it('gives its memory back', async () => {
    const teacher = await open('model');
    const { numDataBuffers } = memory();
    for (let i = 0; i < 3; i++) await teacher.answer(x, N);
    expect(memory().numDataBuffers).toBe(numDataBuffers);
    await teacher.dispose();
  });
});

describe('what goes wrong', () => {
  it.each<[string, string, Partial<TeacherRecipe>, RegExp, RegExp]>([
    ['another signature', 'model', { signature: 'serving' }, /has no signature serving$/, /serving_default/],
    ['an output that is not there', 'model', { output: 'logit' }, /has no output logit$/, /logits, flat/],
    ['an inner tensor that is not there', 'model', { intermediate: ['flatt'] }, /has no output flatt$/, /mean flat\?/],
    ['no SavedModel', 'nothing', {}, /nothing: TensorFlow \S+ cannot load this SavedModel/, /saved_model\.pb/],
    [
      'channels first',
      'model',
      { layout: 'nchw' },
      /received samples of shape \[2, 2, 1\] in the layout nchw/,
      /teacher/,
    ],
  ])('%s', async (_, model, keys, message, hint) => {
    const error = await open(model, keys).then(
      () => undefined,
      (reason: unknown) => reason as UserError,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error!.message).toMatch(message);
    expect(error!.hint).toMatch(hint);
  });
});
