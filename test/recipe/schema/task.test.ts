import type { ZodType } from 'zod';
import { parseRecipe } from '../../../src/recipe/load.ts';
import { LOSSES } from '../../../src/recipe/schema/loss.ts';
import type { LossName } from '../../../src/recipe/schema/loss.ts';
import { isLossFor, taskNames, taskRow } from '../../../src/recipe/task.ts';
import { userError } from '../../data/support.ts';

const WORDS = `dataset: { type: jsonl, task: tagging, train: w.jsonl, label: tags, text: { column: tokens } }
teacher: { train: { model: text-transformer, augment: [{ flip: horizontal }, { mixup: 0.2 }] } }
student: { model: text-cnn }
`;

it('samples are not mixed for a task whose targets are not: the recipe is refused, by its line', async () => {
  const { message, hint } = await userError(() => parseRecipe(WORDS, 'x.yaml'));
  expect(message).toContain(
    'x.yaml:2:78 teacher.train.augment[1]: expected another change for tagging, whose targets mixup does not mix, received mixup',
  );
  expect(hint).toMatch(/^Change teacher\.train\.augment\[1\]/);
  const other = WORDS.replace('mixup', 'cutmix').replace(/text: \{.*\}/, 'augment: [{ mixup: 1 }] }');
  const { message: both } = await userError(() => parseRecipe(other, 'x.yaml'));
  expect(both).toMatch(/:1:\d+ dataset\.augment\[0\]: expected another change for tagging.*received mixup/);
  expect(both).toMatch(/:2:78 teacher\.train\.augment\[1\]: expected another change for tagging.*received cutmix/);
});

it.each(taskNames().filter((task) => taskRow(task).mixes.includes('cutmix')))('%s takes both ways to mix', (task) => {
  const text = `dataset: { type: csv, task: ${task}, train: x.csv, label: y, augment: [{ mixup: 1 }, { cutmix: 1 }] }
student: { model: mlp }
`;
  expect(parseRecipe(text, 'x.yaml').recipe.dataset.augment).toHaveLength(2);
});

it('a mosaic is for boxes alone', async () => {
  const text = `dataset: { type: image-folder, train: x, augment: [{ mosaic: {} }] }
student: { model: cnn }
`;
  const { message } = await userError(() => parseRecipe(text, 'x.yaml'));
  expect(message).toMatch(
    /dataset\.augment\[0\]: expected another change for classification, whose targets mosaic does not mix, received mosaic/,
  );
});

const BOXES = `dataset: { type: coco, task: detection, train: { images: a, labels: a.json } }
student: { model: det-nano }
`;

describe.each([
  ['detection', BOXES],
  [
    'segmentation',
    BOXES.replace('coco, task: detection', 'coco, task: segmentation').replace('det-nano', 'seg-lraspp'),
  ],
] as const)('the default temperature of %s', (task, text) => {
  const of = (loss: string): unknown => {
    const { distill } = parseRecipe(`${text}teacher: { onnx: t.onnx }\ndistill: { loss: ${loss} }\n`, 'x.yaml').recipe;
    return (distill as { readonly temperature?: number }).temperature;
  };

  it('is 1 with kd, also beside inner tensors', () => {
    expect(of('kd')).toBe(1);
    expect(parseRecipe(`${text}teacher: { onnx: t.onnx }\n`, 'x.yaml').recipe.distill).toMatchObject({
      temperature: 1,
    });
    expect(of('pkd, features: [{ student: a, teacher: b }]')).toBe(1);
  });

  it('is that of the loss with others, of which some have none: a recipe that states none is not refused for it', () => {
    const others = (Object.keys(LOSSES) as LossName[]).filter(
      (loss) => isLossFor(loss, task) && loss !== 'kd' && loss !== 'mutual' && !('features' in LOSSES[loss].options),
    );
    for (const loss of [...others, 'auto']) {
      const options: Readonly<Record<string, ZodType>> = loss === 'auto' ? {} : LOSSES[loss as LossName].options;
      const usual = options['temperature']?.parse(undefined);
      expect([loss, of(loss)]).toEqual([loss, usual]);
    }
  });
});

it.each([
  ['teacher: { onnx: t.onnx, decoder: yolov8, classes: [a], output: b }', 'yolov8'],
  [
    'teacher: { onnx: t.onnx, decoder: detr, outputs: { logits: a, boxes: b } }\ndistill: { minConfidence: 0.5 }',
    'detr',
  ],
  ['teacher: { savedModel: t, decoder: { layout: ssd, unit: shares, order: yxyx, firstLabel: 0 } }', 'ssd'],
])('a detector of a known layout teaches boxes: %s', (teacher, layout) => {
  const { decoder } = parseRecipe(BOXES + teacher, 'x.yaml').recipe.teacher!;
  expect(typeof decoder === 'string' ? decoder : decoder!.layout).toBe(layout);
});

it.each([
  ['{ onnx: t.onnx, decoder: yolov9 }', /teacher\.decoder: expected/],
  [
    '{ onnx: t.onnx, decoder: { layout: detr, unit: pixels } }',
    /teacher\.decoder\.unit: expected no such key beside detr: it belongs to yolov8, yolox, yolo26, ssd/,
  ],
  [
    '{ onnx: t.onnx, decoder: ssd, outputs: { logits: a } }',
    /teacher\.outputs\.logits: expected a field of an answer: boxes, labels, scores/,
  ],
  [
    '{ onnx: t.onnx, decoder: ssd, outputs: probabilities }',
    /teacher\.outputs: expected names of outputs beside decoder/,
  ],
  ['{ onnx: t.onnx, decoder: yolo26, intermediate: [a] }', /teacher\.intermediate: expected none beside decoder/],
  ['{ onnx: t.onnx, decoder: yolo26, precision: int8 }', /teacher\.precision: expected fp32 beside decoder/],
  ['{ onnx: t.onnx, decoder: yolo26, classes: c.npy }', /teacher\.classes: expected a list of names beside decoder/],
  ['{ tfjs: t.json, decoder: yolo26 }', /teacher\.decoder: expected no such key beside tfjs/],
  [
    '{ ensemble: [{ onnx: a.onnx }, { onnx: b.onnx }], decoder: ssd }',
    /teacher\.decoder: expected a single detector: the boxes of several have no mean/,
  ],
  [
    '{ onnx: t.onnx, decoder: detr }\ndistill: { temperature: 2 }',
    /distill\.temperature: expected 1 beside teacher\.decoder/,
  ],
  ['{ onnx: t.onnx, classes: [a, b] }', /teacher\.classes: expected no such key for detection/],
  ['{ onnx: t.onnx }\ndistill: { minConfidence: 0.5 }', /distill\.minConfidence: expected no such key for detection/],
])('a detector that teaches boxes is refused keys that it does not read: %s', async (teacher, message) => {
  const { message: said } = await userError(() => parseRecipe(`${BOXES}teacher: ${teacher}`, 'x.yaml'));
  expect(said).toMatch(message);
});

it.each([
  ['{ onnx: s.onnx, outputs: { boxes: a } }', undefined],
  ['{ onnx: s.onnx, decoder: { layout: yolov8, boxes: corners, unit: shares }, output: a }', undefined],
  ['{ onnx: s.onnx, decoder: detr }', /student\.decoder: expected/],
  ['{ model: det-nano, decoder: yolov8 }', /student\.decoder: expected no such key beside model: it belongs to onnx/],
  ['{ onnx: s.onnx, decoder: yolov8, outputs: { boxes: a } }', /student\.outputs: expected output beside decoder/],
  ['{ onnx: s.onnx, output: a }', /student\.output: expected decoder beside it, or outputs/],
  ['{ onnx: s.onnx, head: replace }', /student\.head: expected keep for detection/],
])('the outputs of a detector as student are declared: %s', async (student, message) => {
  const text = BOXES.replace('{ model: det-nano }', student);
  if (message === undefined) expect(parseRecipe(text, 'x.yaml').recipe.student).toHaveProperty('onnx');
  else expect((await userError(() => parseRecipe(text, 'x.yaml'))).message).toMatch(message);
});

it.each([
  ['student: { model: det-nano }', undefined],
  ['student: { model: det-nano }\nteacher: { train: { model: det-small } }\ndistill: { minConfidence: 0.2 }', undefined],
  ['student: { model: det-nano }\nteacher: { onnx: t.onnx, decoder: yolov8, classes: [a] }', undefined],
  ['student: { onnx: s.onnx, decoder: yolov8 }', /dataset\.nms: expected true for this student: det-nano and det-small alone/],
  ['student: { model: det-nano }\nteacher: { onnx: t.onnx }', /dataset\.nms: expected teacher\.decoder beside it, or teacher\.train/],
  ['student: { model: det-nano }\nteacher: { train: { model: det-small } }\ndistill: { loss: frs, features: [{ student: a, teacher: b }] }', /distill\.loss: expected another loss beside dataset\.nms: false/],
])('a detector that answers once for each object, %s', async (rest, message) => {
  const text = `dataset: { type: coco, task: detection, nms: false, train: { images: a, labels: a.json } }\n${rest}`;
  if (message === undefined) expect(parseRecipe(text, 'x.yaml').recipe.dataset).toHaveProperty('nms', false);
  else expect((await userError(() => parseRecipe(text, 'x.yaml'))).message).toMatch(message);
}); // prettier-ignore

it('only a detector answers once for each object', async () => {
  const text = 'dataset: { type: coco, task: segmentation, nms: false, train: { images: a, labels: a.json } }\nstudent: { model: unet }'; // prettier-ignore
  const { message } = await userError(() => parseRecipe(text, 'x.yaml'));
  expect(message).toMatch(/dataset\.nms: expected no such key without boxes: it belongs to detection/);
});

it('a layout of detectors is refused for other tasks', async () => {
  const text =
    'dataset: { type: csv, train: x.csv, label: y }\nstudent: { model: mlp }\nteacher: { onnx: t.onnx, decoder: ssd }';
  const { message } = await userError(() => parseRecipe(text, 'x.yaml'));
  expect(message).toMatch(/teacher\.decoder: expected no such key for classification: it belongs to detection/);
  const student = 'dataset: { type: csv, train: x.csv, label: y }\nstudent: { onnx: s.onnx, decoder: yolov8 }';
  const { message: said } = await userError(() => parseRecipe(student, 'x.yaml'));
  expect(said).toMatch(/student\.decoder: expected no such key for classification: it belongs to detection/);
});
