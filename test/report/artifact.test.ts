import {
  fileOf,
  FORMATS,
  idOf,
  isSameContent,
  labelOf,
  nameOf,
  PRECISIONS,
  stageOf,
} from '../../src/report/artifact.ts';
import type { Artifact, Form, ModelRef } from '../../src/report/artifact.ts';

const first = { teacher: 'teacher', scratch: 'scratch', distilled: 'distilled' } as const;
const ref = (role: keyof typeof first, repeat = 0): ModelRef => ({ role, repeat });
const pruned = (step: number, repeat = 0): ModelRef => ({ role: 'pruned', repeat, step });

describe('a model', () => {
  it.each([
    [ref('teacher'), 'teacher', 'teach', 'teacher.onnx', 'the teacher'],
    [ref('scratch'), 'scratch', 'scratch', 'exports/scratch.onnx', 'alone, no teacher'],
    [ref('distilled'), 'distilled', 'distill', 'exports/distilled.onnx', 'with the teacher'],
    [ref('scratch', 1), 'scratch-2', 'scratch-2', 'exports/scratch-2.onnx', 'alone, no teacher'],
    [ref('distilled', 2), 'distilled-3', 'distill-3', 'exports/distilled-3.onnx', 'with the teacher'],
    [pruned(1), 'pruned-1', 'prune-1', 'exports/pruned-1.onnx', 'prune step 1'],
    [pruned(12), 'pruned-12', 'prune-12', 'exports/pruned-12.onnx', 'prune step 12'],
  ])('%j is called %s, trained in %s, written to %s', (model, name, stage, file, label) => {
    const artifact = { model, format: 'onnx', precision: 'fp32' } as const;
    expect([nameOf(model), idOf(artifact), stageOf(model), fileOf(artifact), labelOf(artifact)]).toEqual([
      name,
      name,
      stage,
      file,
      label,
    ]);
  });
});

describe('a form', () => {
  it.each<[Form, string, string, string]>([
    [{ format: 'tflite', precision: 'fp32' }, '-tflite', '.tflite', 'with the teacher'],
    [{ format: 'onnx', precision: 'fp16', method: 'ptq' }, '-fp16', '-fp16.onnx', 'in fp16'],
    [{ format: 'onnx', precision: 'int8', method: 'ptq' }, '-int8', '-int8.onnx', 'in int8'],
    [{ format: 'tflite', precision: 'int8', method: 'ptq' }, '-int8-tflite', '-int8.tflite', 'in int8'],
    [{ format: 'onnx', precision: 'int8', method: 'ptq', number: 2 }, '-int8-2', '-int8-2.onnx', 'in int8 (2)'],
    [{ format: 'onnx', precision: 'int8', method: 'qat' }, '-int8-qat', '-int8-qat.onnx', 'in int8, trained for it'],
    [
      { format: 'tflite', precision: 'int8', method: 'qat', number: 3 },
      '-int8-qat-3-tflite',
      '-int8-qat-3.tflite',
      'in int8 (3), trained for it',
    ],
    [{ format: 'onnx', precision: 'dynamic-int8', method: 'ptq' }, '-dynamic-int8', '-dynamic-int8.onnx', 'in dynamic-int8'], // prettier-ignore
    [{ format: 'tflite', precision: 'int16x8', method: 'ptq' }, '-int16x8-tflite', '-int16x8.tflite', 'in int16x8'],
    [{ format: 'onnx', precision: 'int4', method: 'ptq' }, '-int4', '-int4.onnx', 'in int4'],
  ])('%j is called %s and written to %s', (form, id, file, label) => {
    const artifact = { model: ref('distilled'), ...form };
    expect([idOf(artifact), fileOf(artifact), labelOf(artifact)]).toEqual([
      `distilled${id}`,
      `exports/distilled${file}`,
      label,
    ]);
  });
});

const MODELS = [0, 1, 2, 9, 10].flatMap((repeat) => [
  ...Object.values(first).map((role) => ref(role, repeat)),
  ...[1, 2, 3, 10, 11].map((step) => pruned(step, repeat)),
]);
const FORMS = FORMATS.flatMap((format) =>
  PRECISIONS.flatMap((precision): Form[] =>
    precision === 'fp32'
      ? [{ format, precision }]
      : (['ptq', 'qat'] as const).flatMap((method) =>
          [1, 2, 3, 10, 11].map((number) => ({ format, precision, method, ...(number > 1 && { number }) })),
        ),
  ),
);
const ALL: Artifact[] = MODELS.flatMap((model) => FORMS.map((form) => ({ model, ...form })));

it.each([
  ['ids', ALL.map(idOf)],
  ['files', ALL.map(fileOf)],
  ['names of models', MODELS.map(nameOf)],
  ['names of stages', MODELS.map(stageOf)],
  ['labels of the models and forms of one report', FORMS.filter(({ format }) => format === 'onnx').map((form) => labelOf({ model: ref('distilled'), ...form }))], // prettier-ignore
])('%s are all different', (_, printed) => {
  expect(printed.length).toBeGreaterThan(30);
  expect(new Set(printed).size).toBe(printed.length);
});

it('has the same content in another format alone', () => {
  const twins = ALL.filter((artifact) => isSameContent(artifact, ALL[FORMS.length + 1]!));
  expect(twins).toEqual([
    { ...ALL[FORMS.length + 1]!, format: 'onnx' },
    { ...ALL[FORMS.length + 1]!, format: 'tflite' },
  ]);
});
