import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { appendFile, copyFile, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';
import { InterruptedError } from '../../src/base/errors.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { parseNpy } from '../../src/base/numpy.ts';
import { npySamples } from '../../src/data/readers/numpy/npy.ts';
import { readParquet } from '../../src/data/formats/parquet/parquet.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { writeVectors } from '../../src/answers/vector/tools/vectors.ts';
import { ask, serving } from '../serve/server.ts';
import { ROOT } from '../support/built.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const DATA = { ...DIGITS, task: 'embedding', dimensions: 16, prefixes: [4] };
const made = (change: object = {}) =>
  makeRecipe(
    {
      ...{ name: 'vectors', dataset: DATA },
      teacher: { train: { model: 'mlp', hidden: [64], epochs: 6, batchSize: 64 } },
      student: { model: 'mlp', hidden: [24] },
      distill: { epochs: 6, batchSize: 64, optimizer: { learningRate: 0.01 } },
      ...QUICK,
      ...change,
    },
    folder(),
  );
const length = (vector: readonly number[]): number => Math.hypot(...vector);

it('goes from classes to files that give vectors, to a server of them and to a kit', async () => {
  const recipe = made({ export: ['onnx', 'tflite'], quantize: [{ samples: 100, maxDrop: 100 }] });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test!]));
  for (const id of ['teacher', 'scratch', 'distilled', 'distilled-tflite', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, scores[id]! > 0.85]).toEqual([id, true]);
  expect(report.score).toMatchObject({ name: 'recall@1', better: 'higher' });
  const { vectors, likeness } = report.models.find(({ id }) => id === 'distilled')!;
  expect(vectors!.rows.map(({ size, precision }) => `${size} ${precision}`)).toEqual([
    ...['4 float32', '4 int8', '4 binary', '16 float32', '16 int8', '16 binary'],
  ]);
  // All 360 samples are queries of both.
  expect(vectors!.rows[3]!.recall1).toBeCloseTo(scores['distilled']!, 9);
  expect(likeness!.cosine).toBeGreaterThan(0.8);

  const file = path.join(run, 'exports/distilled.onnx');
  const { metadata } = decodeModel(readFileSync(file), file);
  expect([metadata.get('task'), metadata.has('labels'), metadata.has('targets')]).toEqual(['embedding', false, false]);
  for (const [name, id] of [
    ['distilled.onnx', 'distilled'],
    ['distilled-int8.tflite', 'distilled-int8-tflite'],
  ] as const) {
    const { score, vectors: own } = await evaluateFile(path.join(run, 'exports', name), recipe, 'test');
    expect([name, score!.value, own!.rows.length]).toEqual([name, scores[id], 6]);
  }
  expect(reportHtml(report)).toContain('<section id="vectors">');
  expect(reportMarkdown(report)).toMatch(/\| distilled +\| 16 +\| binary/);

  const server = await serving({ 'm.onnx': readFileSync(file) });
  const { json } = await ask(server, '/v1/m', { body: { inputs: [0, 1].map((one) => Array.from({ length: 8 }, (_, y) => Array.from({ length: 8 }, (_x, x) => [(x + one * y) % 16]))) } }); // prettier-ignore
  const pictures = [0, 1, 2].map((one) => Array.from({ length: 8 }, (_, y) => Array.from({ length: 8 }, (_x, x) => [(x + one * y) % 16]))); // prettier-ignore
  const alike = await ask(server, '/v1/m/similar', { body: { inputs: pictures } });
  const single = await ask(server, '/v1/m/similar', { body: { inputs: pictures.slice(0, 1) } });
  const wrong = [
    ...['/v1/m?encoding_format=hex', '/v1/m/similar?top=2', '/v1/m/alike'].map((place) => [place, pictures] as const),
    ...[[pictures[0], [[1, 2]]], 'two', []].map((inputs) => ['/v1/m/similar', inputs] as const),
  ];
  const told = [];
  for (const [place, inputs] of wrong) {
    const { status, json: said } = await ask(server, place, { body: { inputs } });
    told.push([status, said['error']]);
  }
  const packed = await ask(server, '/v1/m?encoding_format=base64', { body: { inputs: pictures } });
  await server.end();
  const similarities = alike.json['similarities'] as number[][];
  expect(similarities.map((row, i) => row[i])).toEqual([1, 1, 1].map((one) => expect.closeTo(one, 6) as number));
  expect(similarities[0]![1]).toBe(similarities[1]![0]);
  expect(told).toEqual([
    [400, 'encoding_format: expected float or base64, received "hex"'],
    [400, 'unknown key "top" behind the ? of the address; none is read here'],
    [404, 'this server has no address /v1/m/alike'],
    [400, 'input inputs: expected data of 128 values, flat or nested as its shape [2, 8, 8, 1]'],
    [400, 'expected a sample of shape [8, 8, 1], or an array of them, received "two"'],
    [400, 'expected a sample of shape [8, 8, 1], or an array of them, received an array of depth 1'],
  ]);
  expect([single.status, single.json['error']]).toEqual([400, 'expected two samples or more, received 1']);
  const [first] = packed.json['predictions'] as { embedding: string }[];
  const bytes = Buffer.from(first!.embedding, 'base64');
  expect([bytes.length, Math.abs(bytes.readFloatLE(0)) <= 1]).toEqual([64, true]);
  const predictions = json['predictions'] as { embedding: number[] }[];
  for (const { embedding } of predictions) expect([embedding.length, length(embedding)]).toEqual([16, expect.closeTo(1, 4)]); // prettier-ignore

  const written = await writeVectors(file, recipe, 'test', path.join(folder(), 'v.npy'));
  const array = parseNpy(await readFile(written.file), 'v.npy');
  expect([written.samples, array.shape]).toEqual([360, [360, 16]]);
  const out = path.join(folder(), 'parts.npy');
  const begun: number[] = [];
  const from = (most: number) => ({
    block: 100,
    onProgress: (_: string, done: number) => {
      if (begun.push(done) === most) throw new InterruptedError('stopped');
    },
  });
  await expect(writeVectors(file, recipe, 'test', out, from(3))).rejects.toThrow(InterruptedError);
  const part = path.join(
    folder(),
    (await readdir(folder())).find((name) => /^parts\.npy\.\w{12}\.part$/.test(name))!,
  );
  // Half a block, as a killed process leaves it.
  await appendFile(part, new Uint8Array(999));
  await writeVectors(file, recipe, 'test', out, from(Infinity));
  expect(begun).toEqual([0, 100, 200, 200, 300]);
  expect(Buffer.compare(await readFile(out), await readFile(written.file))).toBe(0);
  expect((await readdir(folder())).filter((name) => name.endsWith('.part'))).toEqual([]);
  expect(length([...npySamples(array)].slice(0, 16))).toBeCloseTo(1, 4);

  const parquet = path.join(folder(), 'parts.parquet');
  begun.length = 0;
  await expect(writeVectors(file, recipe, 'test', parquet, from(3))).rejects.toThrow(InterruptedError);
  await writeVectors(file, recipe, 'test', parquet, from(Infinity));
  expect(begun).toEqual([0, 100, 200, 200, 300]);
  const listed = await readParquet(parquet, { features: 'vector', withoutLabels: true });
  expect([...listed.samples]).toEqual([...npySamples(array)]);
  await expect(writeVectors(file, recipe, 'test', path.join(folder(), 'v.csv'))).rejects.toThrow(
    '--out: expected a file that ends in .npy or .parquet, received',
  );
  expect(report.parity.at(-1)!.cosine!.mean).toBeGreaterThan(0.98);

  await writeKit(run, path.join(folder(), 'kit'));
  const at = path.join(folder(), 'kit/samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(at, 'node_modules'));
  const { stdout, stderr } = spawnSync(process.execPath, ['embed.mjs'], { cwd: at, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^sample 1: 16 numbers\nsample 2 beside sample 1: -?[01]\.\d+\n/);
  // The functions of the program, without the part behind them that runs it.
  const program = readFileSync(path.join(at, 'embed.mjs'), 'utf8');
  const functions = ['likeness', 'nearest', 'vectorsIn'].map((name) => new RegExp(`function ${name}\\([\\s\\S]*?\\n}\\n`).exec(program)![0]); // prettier-ignore
  type Search = (npy: Uint8Array) => readonly (readonly [number, number])[];
  const search = vm.runInThisContext(`(npy) => { ${functions.join('')}const all = vectorsIn(npy, 16); return nearest(all[7], all, 3); }`) as Search; // prettier-ignore
  const found = search(await readFile(written.file));
  expect(found).toHaveLength(3);
  expect(found[0]).toEqual([7, expect.closeTo(1, 5)]);
  expect((await readdir(path.join(folder(), 'kit/samples/browser'))).filter((name) => name.endsWith('.html'))).toEqual(['index.html', 'litert.html', 'onnxruntime.html']); // prettier-ignore
  expect((await readdir(path.join(folder(), 'kit'))).includes('labels.txt')).toBe(false);
});

it('learns from a teacher without any label, and has no twin', async () => {
  const taught = await runRecipe(made({ name: 'first' }), { out: folder() });
  await copyFile(path.join(taught.folder, 'exports/distilled.onnx'), path.join(folder(), 'teacher.onnx'));
  const dataset = { ...DATA, labelled: 0, dimensions: 8, prefixes: undefined, classes: undefined };
  const change = { name: 'alone', dataset, teacher: { onnx: 'teacher.onnx' } };
  const { report } = await runRecipe(made(change), { out: folder() });
  expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
  expect(report.dataset.labelledBy).toBe('teacher.onnx');
  const [teacher, distilled] = report.models;
  expect([teacher!.score.test, teacher!.vectors!.rows[0]!.map]).toEqual([1, 1]);
  expect(distilled!.score.test!).toBeGreaterThan(0.6);
  expect(distilled!.likeness!.cosine).toBeGreaterThan(0.9);
  expect(reportHtml(report)).toContain('among the ten nearest by the vectors of teacher.onnx');

  // Vectors that are made narrower can be compared across splits: all have the axes of the validation samples.
  const lines = (await readFile(DIGITS.test, 'utf8')).split('\n');
  await writeFile(path.join(folder(), 'few.csv'), lines.slice(0, 101).join('\n'));
  const both = made({ ...change, dataset: { ...dataset, validation: 'few.csv' } });
  const values = async (split: 'validation' | 'test'): Promise<readonly number[]> => {
    const { file } = await writeVectors(path.join(folder(), 'teacher.onnx'), both, split, path.join(folder(), `${split}.npy`)); // prettier-ignore
    return [...npySamples(parseNpy(await readFile(file), file))].slice(0, 800);
  };
  expect(await values('test')).toEqual(await values('validation'));
});

it('joins the vectors of two teachers, of which one is an inner tensor of a classifier', async () => {
  const first = await runRecipe(made({ name: 'first' }), { out: folder() });
  const classifier = await runRecipe(
    makeRecipe(
      { name: 'classes', dataset: DIGITS, student: { model: 'mlp', hidden: [24] }, distill: { epochs: 4 }, ...QUICK },
      folder(),
    ),
    { out: folder() },
  );
  const inner = decodeModel(readFileSync(path.join(classifier.folder, 'exports/scratch.onnx')), 'c').graph.nodes.find(({ op }) => op === 'Relu')!; // prettier-ignore
  const ensemble = [
    { onnx: path.join(first.folder, 'exports/distilled.onnx') },
    { onnx: path.join(classifier.folder, 'exports/scratch.onnx'), output: inner.outputs[0] },
  ];
  const { report } = await runRecipe(made({ name: 'joined', teacher: { ensemble } }), { out: folder() });
  const { score, likeness } = report.models.find(({ id }) => id === 'distilled')!;
  expect(score.test!).toBeGreaterThan(0.85);
  expect(likeness!.cosine).toBeGreaterThan(0.8);
});

it.each([
  ['likenesses to a queue of vectors', { loss: 'similarity', queue: 300 }],
  ['by centres of the classes with a margin', { arcface: 0.5, alpha: 0.1 }],
])('learns %s, and goes on to the same bytes with it', async (_, loss) => {
  const change = { name: 'state', distill: { ...loss, epochs: 4, batchSize: 64, optimizer: { learningRate: 0.01 } } };
  const { report, folder: run } = await runRecipe(made(change), { out: folder() });
  expect(report.models.find(({ id }) => id === 'distilled')!.score.test!).toBeGreaterThan(0.85);
  const whole = await readFile(path.join(run, 'exports/distilled.onnx'), 'base64');
  const stop = new AbortController();
  const onEvent = (event: { readonly type: string; readonly stage?: string; readonly epoch?: number }): void => {
    if (event.type === 'epoch' && event.stage === 'distill' && event.epoch === 2) stop.abort();
  };
  const begun = runRecipe(made(change), { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(made(change), { out: folder() });
  expect(await readFile(path.join(run, 'exports/distilled.onnx'), 'base64')).toBe(whole);
});

it('stopped and resumed it ends with the same bytes', async () => {
  const bytes = (name: string) => readFile(path.join(folder(), name, 'exports/distilled.onnx'), 'base64');
  await runRecipe(made(), { out: folder() });
  const whole = await bytes('vectors');
  const stop = new AbortController();
  let epochs = 0;
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'epoch' && ++epochs === 9) stop.abort();
  };
  const begun = runRecipe(made(), { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(made(), { out: folder() });
  expect(await bytes('vectors')).toBe(whole);
});

it.each([
  [
    { dataset: { ...DATA, prefixes: [16] } },
    'dataset.prefixes: expected ascending numbers below dataset.dimensions (16), received 16',
  ],
  [
    { dataset: { ...DATA, task: undefined, prefixes: undefined } },
    'dataset.dimensions: expected no such key for classification: it belongs to embedding',
  ],
  [{ distill: { loss: 'dkd' } }, 'distill.loss: expected a loss for embedding: mse or cosine or similarity'],
  [
    { distill: { arcface: 0.5 }, dataset: { ...DATA, labelled: 0 } },
    'distill.arcface: expected none beside labelled: 0: it learns from labels, received 0.5',
  ],
  [{ shards: 2 }, 'expected a loss that is a sum over samples'],
  [{ dataset: { ...DATA, augment: [{ mixup: 1 }] } }, 'another change for embedding'],
])('refuses %j', async (change, message) => {
  await expect(async () => runRecipe(made(change), { out: folder() })).rejects.toThrow(message);
});
