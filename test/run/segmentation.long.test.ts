// Needs the feature mask.
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { compression } from '../../src/tools/compress/compress.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ask, serving } from '../serve/server.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { colourSegmenter, SHAPES, shapesArchive, SIZE } from '../support/shapes.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

beforeEach(async () => {
  await writeFile(at('train.npz'), shapesArchive(160, 'train'));
  await writeFile(at('test.npz'), shapesArchive(40, 'test'));
  await writeFile(at('colours.onnx'), colourSegmenter());
});

const made = (change: object = {}) =>
  makeRecipe(
    {
      name: 'shapes',
      dataset: {
        ...{ type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, test: { file: 'test.npz' } },
        ...{ classes: SHAPES, stride: 4, normalize: 'unit', validation: 40 },
        augment: [{ flip: 'horizontal' }, { rotate: 10 }],
      },
      teacher: { onnx: 'colours.onnx' },
      student: { model: 'unet', filters: 4, depth: 3, convolutions: 'full' },
      distill: { epochs: 4, batchSize: 20, optimizer: { learningRate: 0.02 } },
      ...QUICK,
      ...change,
    },
    folder(),
  );

it('goes from masks to files that give each pixel a class, and to a server of them', async () => {
  const recipe = made({ export: ['onnx', 'tflite'], quantize: [{ samples: 32, maxDrop: 100 }] });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  expect(scores['teacher']).toBeGreaterThan(0.7);
  for (const id of ['distilled', 'distilled-tflite', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, scores[id]! > 0.5]).toEqual([id, true]);
  expect(report.score).toMatchObject({ name: 'mean IoU', better: 'higher' });
  const { masks } = report.models.find(({ id }) => id === 'distilled')!;
  expect(masks!.rows.map(({ name }) => name)).toEqual(SHAPES);
  // The border of each mask has no class.
  expect(masks!.pixels).toBe(40 * SIZE * (SIZE - 1));

  const file = path.join(run, 'exports/distilled.onnx');
  const model = decodeModel(readFileSync(file), file);
  expect(model.graph.outputs[0]).toMatchObject({ name: 'logits', dims: ['batch', SIZE / 4, SIZE / 4, 3] });
  expect(model.metadata.get('task')).toBe('segmentation');
  for (const [name, id] of Object.entries({
    'distilled.onnx': 'distilled',
    'distilled-int8.tflite': 'distilled-int8-tflite',
  })) {
    // prettier-ignore
    const { score, masks: own } = await evaluateFile(path.join(run, 'exports', name), recipe, 'test');
    expect([name, score!.value, own!.rows.length]).toEqual([name, scores[id], 3]);
  }
  const html = reportHtml(report);
  expect(html).toContain('<section id="masks">');
  expect(html).toMatch(/Confusion matrix: distilled<[^]*?Most often: \w+ taken for \w+ \(\d+\.\d+ %\)/);
  expect(html).toContain('split differently; first those with the most differing pixels, then some');
  const { masks: pictures } = report.examples!.rows[0]!;
  // PNG files that differ, each shown beside the words.
  expect(html).toContain(`alt="mask of the int8" src="data:image/png;base64,${pictures!.int8!}"`);
  const all = [pictures!.label!, pictures!.teacher, pictures!.student];
  expect([new Set(all).size, all.every((png) => png.startsWith('iVBORw0KGgo'))]).toEqual([3, true]);
  for (const png of all) expect(html).toContain(`base64,${png}"`);
  expect(reportMarkdown(report)).toContain('| distilled | disc |');

  const picture = new Array(SIZE * SIZE * 3).fill(0).map((_, i) => [40, 60, 200][i % 3]!);
  const inputs = Array.from({ length: SIZE }, (_, y) =>
    Array.from({ length: SIZE }, (_, x) => picture.slice((y * SIZE + x) * 3, (y * SIZE + x) * 3 + 3)),
  );
  const server = await serving({ 'm.onnx': readFileSync(file) });
  const { json } = await ask(server, '/v1/m', { body: { inputs } });
  await server.end();
  const predictions = json['predictions'] as {
    readonly height: number;
    readonly width: number;
    readonly runs: readonly number[];
    readonly segments: readonly { readonly label: string; readonly area: number }[];
  }[];
  const [first] = predictions;
  expect([first!.height, first!.width]).toEqual([SIZE, SIZE]);
  expect(first!.runs.filter((_, i) => i % 2 === 1).reduce((sum, length) => sum + length, 0)).toBe(SIZE * SIZE);
  expect(first!.segments[0]).toMatchObject({ label: 'ground' });
  expect(first!.segments.reduce((sum, { area }) => sum + area, 0)).toBeCloseTo(1, 9);
});

it('writes files that answer with the class of each pixel beside those with logits, and times both', async () => {
  const latency = { seconds: 0.5, batchSizes: [1], threads: [1] };
  const change = { outputs: 'classes', export: ['onnx', 'tflite'], quantize: [{ samples: 32, maxDrop: 100 }, { scheme: 'fp16', maxDrop: 100 }], report: { latency } }; // prettier-ignore
  const { report, folder: run } = await runRecipe(made(change), { out: folder() });
  const rows = report.models.flatMap(({ id, latency: own, answerFile }) => answerFile ? [{ id, own, answerFile }] : []); // prettier-ignore
  expect(rows.map(({ answerFile: { file } }) => file)).toEqual(
    ['', '-tflite', '-int8', '-int8-tflite', '-fp16', '-fp16-tflite'].map((end) => `exports/distilled${end.replace('-tflite', '')}-classes.${end.endsWith('tflite') ? 'tflite' : 'onnx'}`), // prettier-ignore
  );
  for (const { id, own, answerFile } of rows) {
    const { samples, agreement } = answerFile;
    expect([id, samples, agreement > 0.998]).toEqual([id, 40, true]);
    expect([id, answerFile.latency.length]).toEqual([id, own.length]);
  }
  expect(rows[0]!.own.length).toBeGreaterThan(0);
  const file = path.join(run, 'exports/distilled-classes.onnx');
  const { graph, metadata } = decodeModel(readFileSync(file), file);
  expect(graph.outputs).toEqual([{ name: 'classes', dtype: 'uint8', dims: ['batch', SIZE, SIZE] }]);
  expect(metadata.get('output')).toBe('classes');
  for (const text of [reportHtml(report), reportMarkdown(report)])
    expect(text).toContain('distilled-int8-classes.tflite');
  const recipe = made(change);
  for (const name of [file, file.replace(/onnx$/, 'tflite')])
    await expect(evaluateFile(name, recipe, 'test')).rejects.toThrow(/expected float32 or float16 from classes, received uint8/); // prettier-ignore
  const inputs = [Array.from({ length: SIZE }, (_, y) => Array.from({ length: SIZE }, (_x, x) => [8 * x, 8 * y, 90]))];
  const server = await serving({
    'classes.onnx': readFileSync(file),
    'logits.onnx': readFileSync(path.join(run, 'exports/distilled.onnx')),
  });
  const answers = [];
  for (const name of ['classes', 'logits']) {
    const { json } = await ask(server, `/v1/${name}`, { body: { inputs: inputs[0] } });
    answers.push(json['predictions']);
  }
  await server.end();
  expect(answers[0]).toEqual(answers[1]);
});

it('trains, prunes, quantizes with training and compresses a file, with drops in points of mIoU', async () => {
  const first = await runRecipe(made(), { out: folder() });
  const onnx = path.join(first.folder, 'exports/distilled.onnx');
  const before = first.report.models.find(({ id }) => id === 'distilled')!.score.test!;
  const distill = { epochs: 1, batchSize: 20, optimizer: { learningRate: 0.005 } };
  const prune = [{ type: 'channels', amount: 0.3, multipleOf: 2, importance: 'taylor', maxDrop: 50 }];
  const quantize = [{ samples: 32, maxDrop: 0, fallback: 'qat', qat: { epochs: 1 } }];
  const change = { name: 'again', student: { onnx }, distill, prune, quantize, baseline: false };
  const { report, folder: run } = await runRecipe(made(change), { out: folder() });
  const scores = new Map(report.models.map(({ id, score }) => [id, score.test!]));
  // A file that loses anything gives way to that of a student that is trained with quantization.
  const quantized = ['pruned-1-int8', 'pruned-1-int8-qat'].find((id) => scores.has(id))!;
  for (const id of ['distilled', 'pruned-1', quantized]) {
    expect([id, (scores.get(id) ?? 0) > before - 0.25]).toEqual([id, true]);
  }
  const pruned = path.join(run, 'exports/pruned-1.onnx');
  expect(decodeModel(readFileSync(pruned), pruned).graph.outputs[0]!.dims).toEqual(['batch', SIZE / 4, SIZE / 4, 3]);

  const { name, dataset, student } = made().recipe;
  await writeFile(at('data.json'), JSON.stringify({ name, dataset, student }));
  const options = { model: onnx, data: at('data.json'), budget: 'size=2,latency=1,drop=60', epochs: 1, seed: 1 };
  const { loaded } = await compression({ ...options, formats: ['onnx'], out: folder() });
  const small = await runRecipe(loaded, { out: folder() });
  const [whole, int8] = ['distilled', 'distilled-int8'].map((id) => small.report.models.find((row) => row.id === id)!);
  expect(int8!.sizeBytes).toBeLessThan(whole!.sizeBytes / 2);
  expect(int8!.score.test).toBeGreaterThan(before - 0.25);
});

it.each([
  ['channel-wise on logits, with weights of classes and Dice', { loss: 'cwd-logits', dice: 1 }],
  [
    'channel-wise on inner tensors',
    { loss: 'cwd', featureWeight: 3, features: [{ student: 'encoder1_b', teacher: 'encoder1_b' }] },
  ],
])('learns %s from a teacher that the recipe trains', async (_, loss) => {
  const dataset = {
    ...{ type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, test: { file: 'test.npz' }, classes: SHAPES },
    ...{ stride: 4, normalize: 'unit', validation: 40, classWeights: 'balanced', labelled: 100 },
  };
  const unet = { model: 'unet', depth: 3, convolutions: 'full' };
  const common = { batchSize: 20, optimizer: { learningRate: 0.02 } };
  const change = {
    ...{ dataset, student: { ...unet, filters: 4 }, baseline: false },
    ...{ teacher: { train: { ...unet, ...common, filters: 8, epochs: 10, dice: 0.5 } }, distill: { ...common, ...loss, epochs: 6, softTargets: { store: 'live' } } }, // prettier-ignore
  };
  const { report } = await runRecipe(made(change), { out: folder() });
  const { score } = report.models.find(({ id }) => id === 'distilled')!;
  expect(score.test).toBeGreaterThan(0.45);
});

it('stopped and resumed it ends with the same bytes', async () => {
  const bytes = (name: string) => readFile(path.join(folder(), name, 'exports/distilled.onnx'), 'base64');
  await runRecipe(made({ name: 'shapes' }), { out: folder() });
  const whole = await bytes('shapes');
  const stop = new AbortController();
  let epochs = 0;
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'epoch' && ++epochs === 6) stop.abort();
  };
  const begun = runRecipe(made(), { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(made(), { out: folder() });
  expect(await bytes('shapes')).toBe(whole);
});

it.each([
  ['a stride that does not divide the pictures', { stride: 5 }, /multiples of dataset\.stride \(5\), received 32×32/],
  ['fewer classes than the masks hold', { classes: SHAPES.slice(0, 2) }, /mask \d+: pixel \d+, \d+ \(x, y\) is 2, and there are the classes 0 … 1/], // prettier-ignore
  ['no names of classes', { classes: undefined }, /nothing names the classes/],
  ['mixup', { augment: [{ mixup: 0.2 }] }, /mixup/],
])('refuses %s', async (_, dataset, message) => {
  const start = async () => {
    const base = { type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, classes: SHAPES, stride: 4 };
    await runRecipe(made({ dataset: { ...base, ...dataset } }), { out: folder() });
  };
  await expect(start()).rejects.toThrow(message);
});

it('refuses students and teachers that do not answer for each pixel', async () => {
  await expect(runRecipe(made({ student: { model: 'cnn' } }), { out: folder() })).rejects.toThrow(
    'model cnn answers for each sample, and the task asks for an answer for each pixel',
  );
  const { classes, ...dataset } = (made().recipe as { dataset: { classes: string[] } }).dataset;
  const more = { ...dataset, classes: [...classes, 'line'] };
  await expect(runRecipe(made({ name: 'more', dataset: more }), { out: folder() })).rejects.toThrow(
    /expected logits of 4 classes for each pixel, .*received scores \[\d+, 3, 32, 32\]/,
  );
});
