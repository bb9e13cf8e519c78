// Needs the feature boxes.
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { readEntries } from '../../src/formats/tflite/metadata/entries.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { endsOfFile } from '../../src/runtime/litert.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { writeMediaPipeFolder } from '../../src/consumers/mediapipe/folder.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { ask, serving } from '../serve/server.ts';
import { COLOURS, SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { asYolov8, detectorFile } from '../support/detectors.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const POINTS = 64 + 16 + 4;

beforeEach(async () => {
  await writeColouredBoxes(folder(), 'train', 200);
  await writeColouredBoxes(folder(), 'test', 40);
});

const source = (name: string) => ({ images: name, labels: `${name}.json` });
const made = (change: object = {}, dataset: object = {}) =>
  makeRecipe(
    {
      name: 'colours',
      dataset: {
        ...{ type: 'coco', task: 'detection', train: source('train'), test: source('test') },
        ...{ maxBoxes: 4, resize: [SIDE, SIDE], validation: 40, augment: [{ flip: 'horizontal' }] },
        ...dataset,
      },
      teacher: { train: { model: 'det-nano', alpha: 0.2, filters: 16, epochs: 30, batchSize: 16 } },
      student: { model: 'det-nano', alpha: 0.1, filters: 8 },
      distill: { epochs: 12, batchSize: 16 },
      ...QUICK,
      ...change,
    },
    folder(),
  );

const optimizer = { type: 'adamw', learningRate: 0.01, schedule: 'onecycle' };
const training = { epochs: 15, batchSize: 16, optimizer };

it('learns from the pyramid of a trained teacher by frs, and of the same teacher by pkd', async () => {
  const levels = ['top_down0', 'bottom_up1', 'bottom_up2'].map((level) => `${level}_pointwise_relu`);
  const features = levels.map((level) => ({ student: level, teacher: level }));
  for (const loss of ['frs', 'pkd']) {
    const recipe = made({
      teacher: { train: { model: 'det-nano', alpha: 0.2, filters: 16, ...training, epochs: 8 } },
      distill: { loss, features, epochs: 1, batchSize: 16, softTargets: { store: 'live' } },
      baseline: false,
    });
    const { report } = await runRecipe(recipe, { out: folder(), existing: 'fresh' });
    expect([loss, ...report.models.map(({ id }) => id)]).toEqual([loss, 'teacher', 'distilled']);
  }
});

it('goes from boxes to files that find them, and to a server of them', async () => {
  const recipe = made({
    teacher: { train: { model: 'det-nano', alpha: 0.2, filters: 16, ...training } },
    distill: { ...training, alpha: 0.5 },
    export: ['onnx', 'tflite'],
    outputs: 'detections',
    quantize: [{ samples: 32, maxDrop: 100 }],
  });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  for (const id of ['distilled', 'distilled-tflite', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, scores[id]! > 0.02]).toEqual([id, true]);
  expect(Math.abs(scores['distilled-int8-tflite']! - scores['distilled']!)).toBeLessThan(0.03);
  expect(report.score).toMatchObject({ name: 'mAP', better: 'higher' });
  const { boxes } = report.models.find(({ id }) => id === 'distilled')!;
  expect(boxes!.rows.map(({ name }) => name)).toEqual(COLOURS);
  expect(boxes!.ap).toBe(scores['distilled']);
  expect(boxes!.large).toBeNull();

  const file = path.join(run, 'exports/distilled.onnx');
  const model = decodeModel(readFileSync(file), file);
  expect(model.graph.outputs).toEqual([
    { name: 'boxes', dtype: 'float32', dims: ['batch', POINTS, 4] },
    { name: 'scores', dtype: 'float32', dims: ['batch', POINTS, 3] },
  ]);
  expect(model.metadata.get('task')).toBe('detection');
  const { threshold } = boxes!.atThreshold!;
  expect(boxes!.atThreshold!.f1).toBeGreaterThan(0.1);
  for (const [name, id] of Object.entries({
    'distilled.onnx': 'distilled',
    'distilled-int8.tflite': 'distilled-int8-tflite',
  })) {
    const { score, boxes: own } = await evaluateFile(path.join(run, 'exports', name), recipe, 'test');
    expect([name, score!.value, own!.rows.length]).toEqual([name, scores[id], 3]);
  }
  const others = report.models.flatMap(({ answerFile }) => answerFile ?? []);
  expect(others.map(({ file: name, agreement }) => [path.basename(name), agreement > 0.99])).toEqual([
    ['distilled-detections.onnx', true],
    ['distilled-detections.tflite', true],
    ['distilled-int8-detections.onnx', true],
    ['distilled-int8-detections.tflite', true],
  ]);
  // One threshold for all files of the student.
  const files = report.models.filter(({ model: { role } }) => role === 'distilled').map(({ file: name }) => name!);
  for (const name of [...files, ...others.map(({ file: other }) => other)]) {
    const bytes = readFileSync(path.join(run, name));
    const stated = name.endsWith('.onnx') ? decodeModel(bytes, name).metadata : readEntries(readTflite(bytes), bytes);
    expect([name, stated.get('threshold')]).toEqual([name, String(threshold)]);
  }
  for (const { file: name } of others)
    await expect(evaluateFile(path.join(run, name), recipe, 'test')).rejects.toThrow('answers with detections');
  const tflite = readFileSync(path.join(run, others[3]!.file));
  expect(endsOfFile(tflite).outputs).toMatchObject([
    { name: 'location', dtype: 'float32', shape: [1, POINTS, 4] },
    { name: 'score', dtype: 'float32', shape: [1, POINTS, 3] },
  ]);
  expect(reportHtml(report)).toContain('<section id="boxes">');
  expect(reportMarkdown(report)).toContain('| distilled | red |');

  const written = await writeMediaPipeFolder(run, path.join(folder(), 'mediapipe'));
  expect([written.task, written.files]).toEqual([
    'ObjectDetector',
    ['README.md', 'model-fp16.tflite', 'model-int8.tflite', 'model.tflite'],
  ]);
  expect(await readFile(path.join(folder(), 'mediapipe/README.md'), 'utf8')).toContain(`score_threshold=${threshold})`);
  expect(endsOfFile(readFileSync(path.join(folder(), 'mediapipe/model-int8.tflite')))).toMatchObject({
    inputs: [{ name: 'image', dtype: 'float32', shape: [1, SIDE, SIDE, 3] }],
    outputs: [{ name: 'location' }, { name: 'score' }],
  });

  const server = await serving({ 'm.onnx': readFileSync(file), 'chosen.onnx': readFileSync(path.join(run, others[0]!.file)) }); // prettier-ignore
  const body = readFileSync(path.join(folder(), 'test/0.png'));
  const asked = (name: string) => ask(server, `/v1/${name}`, { body, headers: { 'content-type': 'image/png' } });
  const [{ json }, { json: chosen }] = [await asked('m?score=0.05'), await asked('chosen?score=0.05')];
  const [{ json: shown }, { json: described }] = [await asked('m'), await ask(server, '/v1/m')];
  const refused = await asked('m?score=1.5');
  await server.end();
  await writeKit(run, path.join(folder(), 'kit'));
  const { output } = JSON.parse(await readFile(path.join(folder(), 'kit/preprocessing.json'), 'utf8')) as { output: object }; // prettier-ignore
  expect(output).toMatchObject({ threshold });
  expect(described['threshold']).toBe(threshold);
  expect(refused).toMatchObject({ status: 400, json: { error: 'score: expected a number from 0 to 1, received "1.5"' } }); // prettier-ignore
  interface Found {
    readonly height: number;
    readonly width: number;
    readonly threshold: number;
    readonly boxes: readonly { readonly label: string; readonly score: number; readonly box: object }[];
  }
  const [[first], [same]] = [json, chosen].map(({ predictions }) => predictions as Found[]) as [Found[], Found[]];
  const [usual] = shown['predictions'] as Found[];
  expect(usual!.threshold).toBe(threshold);
  expect(usual!.boxes).toEqual(first!.boxes.filter(({ score }) => score >= threshold));
  expect(same!.boxes.length).toBe(first!.boxes.length);
  for (const [i, { label, score, box }] of same!.boxes.entries()) {
    expect([label, score.toFixed(4)]).toEqual([first!.boxes[i]!.label, first!.boxes[i]!.score.toFixed(4)]);
    for (const [side, value] of Object.entries(box) as [keyof object, number][])
      expect(value).toBeCloseTo(first!.boxes[i]!.box[side], 3);
  }
  expect([first!.height, first!.width]).toEqual([SIDE, SIDE]);
  for (const { label, score, box } of first!.boxes) {
    expect(COLOURS).toContain(label);
    expect(score).toBeGreaterThan(0);
    for (const side of Object.values(box) as number[]) expect(side >= 0 && side <= SIDE).toBe(true);
  }
  expect(first!.boxes.map(({ score }) => score)).toEqual(first!.boxes.map(({ score }) => score).sort((a, b) => b - a));
});

it('a detector that answers once for each object is scored, exported and served without suppression', async () => {
  const recipe = made(
    {
      teacher: { train: { model: 'det-nano', alpha: 0.2, filters: 16, ...training } },
      distill: { ...training, alpha: 0.5, minConfidence: 0.1 },
      baseline: false,
      export: ['onnx', 'tflite'],
      outputs: 'detections',
      quantize: [{ samples: 32, maxDrop: 100 }],
    },
    { nms: false },
  );
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  expect(scores['distilled']).toBeGreaterThan(0.02);
  expect(Math.abs(scores['distilled-int8-tflite']! - scores['distilled']!)).toBeLessThan(0.05);
  const file = path.join(run, 'exports/distilled.onnx');
  const { metadata, graph } = decodeModel(readFileSync(file), file);
  expect(metadata.get('overlap')).toBe('1');
  expect(graph.outputs.map(({ dims }) => dims)).toEqual([['batch', POINTS, 4], ['batch', POINTS, 3]]); // prettier-ignore
  expect((await evaluateFile(file, recipe, 'test')).score!.value).toBe(scores['distilled']);
  const others = report.models.flatMap(({ answerFile }) => answerFile ?? []);
  expect(others.map(({ agreement }) => agreement > 0.99)).toEqual([true, true, true, true]);
  const chosen = path.join(run, others[0]!.file);
  const { nodes } = decodeModel(readFileSync(chosen), chosen).graph;
  expect(nodes.map(({ op }) => op)).not.toContain('NonMaxSuppression');
  const server = await serving({ 'm.onnx': readFileSync(file), 'chosen.onnx': readFileSync(chosen) });
  const body = readFileSync(path.join(folder(), 'test/0.png'));
  const boxesOf = async (name: string): Promise<object[]> => {
    const { json } = await ask(server, `/v1/${name}`, { body, headers: { 'content-type': 'image/png' } });
    return (json.predictions as { boxes: object[] }[])[0]!.boxes;
  };
  const [plain, same] = [await boxesOf('m'), await boxesOf('chosen')];
  await server.end();
  expect([plain.length > 0, same.length]).toEqual([true, plain.length]);
});

it('stopped and resumed, with mosaics, it ends with the same bytes', async () => {
  const bytes = (name: string) => readFile(path.join(folder(), name, 'exports/distilled.onnx'), 'base64');
  const short = { epochs: 2, batchSize: 16, optimizer };
  const teacher = { train: { model: 'det-nano', alpha: 0.1, filters: 8, ...short, epochs: 5 } };
  const change = { teacher, distill: { ...short, softTargets: { store: 'live' } }, baseline: false };
  const augment = [{ mosaic: {} }, { flip: 'horizontal' }];
  // So few that the run times no steps before its first.
  const recipe = () => made(change, { augment, maxBoxes: 12, limit: 80, validation: 16 });
  await runRecipe(recipe(), { out: folder() });
  const whole = await bytes('colours');
  const stop = new AbortController();
  let epochs = 0;
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'epoch' && ++epochs === 1) stop.abort();
  };
  const begun = runRecipe(recipe(), { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(recipe(), { out: folder() });
  expect(await bytes('colours')).toBe(whole);
});

it('a detector from a file is trained on, and its own files have our outputs', async () => {
  useLazyBackend(evaluator);
  await writeFile(path.join(folder(), 'student.onnx'), asYolov8(detectorFile(SIDE, COLOURS.length), SIDE));
  const recipe = (name: string, decoder: unknown) =>
    made(
      {
        ...{ name, teacher: undefined, distill: { ...training, epochs: 2 } },
        student: { onnx: 'student.onnx', decoder, freeze: ['sides'] },
      },
      { limit: 64, validation: 16 },
    );
  const whole = recipe('further', 'yolov8');
  const { report, folder: run } = await runRecipe(whole, { out: folder() });
  expect(report.notes.join('\n')).toMatch(/the student begins from the \d+ weights of student\.onnx/);
  const file = path.join(run, 'exports/scratch.onnx');
  expect(decodeModel(readFileSync(file), file).graph.outputs).toEqual([
    { name: 'boxes', dtype: 'float32', dims: ['batch', POINTS, 4] },
    { name: 'scores', dtype: 'float32', dims: ['batch', POINTS, 3] },
  ]);
  const { score } = await evaluateFile(file, whole, 'test');
  expect(score!.value).toBe(report.models[0]!.score.test);
  await expect(runRecipe(recipe('apart', { layout: 'yolov8', boxes: 'corners' }), { out: folder() })).rejects.toThrow(
    /student\.onnx: expected a box around each of the 84 points, .* received \d+ such boxes/,
  );
});

it.each([
  ['pictures of other sizes', { resize: [48, 64] }, {}, /multiples of 32, received 48×64/],
  ['students that answer for samples', {}, { student: { model: 'cnn' } }, /model cnn answers for each sample, and the task asks for an answer for each point/], // prettier-ignore
  ['mixup', { augment: [{ mixup: 0.2 }] }, {}, /mixup/],
  ['losses of logits alone', {}, { distill: { loss: 'dkd' } }, /a loss for detection: kd/],
])('refuses %s', async (_, dataset, change, message) => {
  const start = async () => {
    await runRecipe(made(change, dataset), { out: folder() });
  };
  await expect(start()).rejects.toThrow(message);
});
