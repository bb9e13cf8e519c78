import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { argMax } from '../../src/base/numbers.ts';
import { sha256 } from '../../src/base/bytes.ts';
import type { OnEvent } from '../../src/base/events.ts';
import { RandomStream } from '../../src/base/random.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { OnnxTensor } from '../../src/formats/onnx/model.ts';
import { runRecipe } from '../../src/run/run.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ask, serving } from '../serve/server.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { relativeError } from '../support/error.ts';
import { temporaryFolder } from '../support/folder.ts';
import { ints, modelOf } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [STEPS, CHANNELS, CLASSES] = [24, 6, 3];
const SIZE = STEPS * CHANNELS;

/** Waves of one of three frequencies on six channels, each with a level and a size of its own. */
function waves(count: number, key: string): { readonly x: Float32Array; readonly y: Int32Array } {
  const random = new RandomStream('waves', key);
  const [x, y] = [new Float32Array(count * SIZE), new Int32Array(count)];
  for (let i = 0; i < count; i++) {
    y[i] = i % CLASSES;
    const phase = 6 * random.uniform();
    for (let at = 0; at < SIZE; at++) {
      const [t, c] = [Math.floor(at / CHANNELS), at % CHANNELS];
      x[i * SIZE + at] = 10 * c + (c + 1) * (Math.sin((0.3 + 0.35 * y[i]!) * t + phase + c) + 0.3 * random.normal());
    }
  }
  return { x, y };
}

const draw = new RandomStream('nets');
const drawn = (...dims: number[]): OnnxTensor => {
  const length = dims.reduce((a, b) => a * b);
  const scale = 1 / Math.sqrt(length / dims[0]!);
  return tensor(
    '',
    'float32',
    dims,
    Float32Array.from({ length }, () => scale * draw.normal()),
  );
};

/** Dilated convolutions, which take [batch, channels, steps]. */
const tcn = (): Uint8Array =>
  encodeModel(
    modelOf(['batch', CHANNELS, STEPS], { a: drawn(16, CHANNELS, 3), b: drawn(16, 16, 3), w: drawn(CLASSES, 16) }, [
      ['Conv', ['x', 'a'], { kernel_shape: [3], pads: [1, 1] }],
      ['Relu', ['y0']],
      ['Conv', ['y1', 'b'], { kernel_shape: [3], dilations: [2], pads: [2, 2] }],
      ['Relu', ['y2']],
      ['GlobalAveragePool', ['y3']],
      ['Flatten', ['y4']],
      ['Gemm', ['y5', 'w'], { transB: 1 }],
    ]),
  );

/** A recurrent layer, which takes [batch, steps, channels] with as many steps as there are. */
const lstm = (): Uint8Array =>
  encodeModel(
    modelOf(
      ['batch', 'steps', CHANNELS],
      { W: drawn(1, 48, CHANNELS), R: drawn(1, 48, 12), w: drawn(CLASSES, 12), axes: ints(0) },
      [
        ['Transpose', ['x'], { perm: [1, 0, 2] }],
        ['LSTM', ['y0', 'W', 'R'], { hidden_size: 12 }, ['all', 'last']],
        ['Squeeze', ['last', 'axes']],
        ['Gemm', ['y2', 'w'], { transB: 1 }],
      ],
    ),
  );

async function recipeOf(name: string, rest: object) {
  for (const split of ['train', 'test'] as const) {
    const { x, y } = waves(split === 'train' ? 240 : 60, split);
    await writeFile(at(`${split}.npz`), zipSync({ 'x.npy': npyBytes([y.length, STEPS, CHANNELS], x), 'y.npy': npyBytes([y.length], y) })); // prettier-ignore
  }
  const dataset = { type: 'npz', train: { file: 'train.npz', samples: ['x'] }, test: { file: 'test.npz' }, classes: ['slow', 'middle', 'fast'] }; // prettier-ignore
  const distill = { epochs: 8, batchSize: 32, optimizer: { learningRate: 0.01 } };
  await writeFile(
    at(`${name}.json`),
    JSON.stringify({ name, dataset, distill, export: ['onnx', 'tflite'], ...QUICK, ...rest }),
  );
  return loadRunnable(at(`${name}.json`));
}

async function bytesOf(run: string): Promise<Record<string, string>> {
  const names = (await readdir(path.join(run, 'exports'))).sort();
  const hashes = names.map(async (name) => [name, sha256(await readFile(path.join(run, 'exports', name)))] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

it('a recurrent teacher and a student of dilated convolutions from a file, channels first, go the whole way', async () => {
  await writeFile(at('tcn.onnx'), tcn());
  const parts = {
    teacher: { train: { model: 'gru', units: 24, epochs: 20, batchSize: 32, optimizer: { learningRate: 0.01 } } },
    student: { onnx: 'tcn.onnx' },
    baseline: false,
    quantize: [{ scheme: 'int8', maxDrop: 100 }],
  };
  const recipe = await recipeOf('waves', parts);
  const whole = await runRecipe(recipe, { out: folder() });
  expect(whole.report.dataset.sampleShape).toEqual([STEPS, CHANNELS]);
  const models = whole.report.models.filter(({ file }) => file?.startsWith('exports/') === true);
  expect(models.map(({ format, precision }) => `${format} ${precision}`)).toEqual(
    expect.arrayContaining(['onnx fp32', 'tflite fp32', 'onnx int8', 'tflite int8']),
  );
  // Each file alone has the score that the report has of it.
  for (const { file, score } of models) {
    expect(score.test).toBeGreaterThan(0.85);
    expect((await evaluateFile(path.join(whole.folder, file!), recipe, 'test')).accuracy).toBeCloseTo(score.test!, 6);
  }

  const stop = new AbortController();
  const onEvent: OnEvent = (event) => {
    if (event.type === 'epoch' && event.stage === 'distill') stop.abort();
  };
  const out = at('stopped');
  await expect(runRecipe(recipe, { out, signal: stop.signal, onEvent })).rejects.toThrow('stopped distill');
  const resumed = await runRecipe(recipe, { out });
  expect(await bytesOf(resumed.folder)).toEqual(await bytesOf(whole.folder));

  // ONNX Runtime on samples that are normalized by what the file says of itself.
  const file = models.find(({ format, precision }) => format === 'onnx' && precision === 'fp32')!.file!;
  const bytes = await readFile(path.join(whole.folder, file));
  const model = new InferenceModel(bytes, file, {});
  const { mean, std, shape } = JSON.parse(decodeModel(bytes, file).metadata.get('preprocessing')!) as { mean: number[]; std: number[]; shape: number[] }; // prettier-ignore
  expect([shape, mean.length]).toEqual([[STEPS, CHANNELS], CHANNELS]);
  const { x } = waves(60, 'test');
  const data = x.map((value, i) => (value - mean[i % CHANNELS]!) / std[i % CHANNELS]!);
  const expected = (await model.run({ input: { data, shape: [60, STEPS, CHANNELS] } }))['logits']!.data as Float32Array;
  model.dispose();

  await writeKit(whole.folder, at('kit'), {});
  const example = JSON.parse(await readFile(at('kit/example.json'), 'utf8')) as object;
  expect(example).toBeDefined();
  const node = at('kit/samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
  const rows = Array.from({ length: 60 }, (_, i) => ({ raw: [...x.subarray(i * SIZE, (i + 1) * SIZE)] }));
  await writeFile(at('samples.json'), JSON.stringify(rows));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['classify.mjs', at('samples.json')], { cwd: node, encoding: 'utf8' }); // prettier-ignore
  expect([status, stderr]).toEqual([0, '']);
  const names = ['slow', 'middle', 'fast'];
  const wanted = rows.map((_, i) => names[argMax(expected, i * CLASSES, CLASSES)]!);
  expect(stdout.trimEnd().split('\n').map((line) => line.split('\t')[0])).toEqual(wanted); // prettier-ignore

  await mkdir(at('served'));
  await writeFile(at('served/waves.onnx'), bytes);
  const server = await serving({}, { models: [at('served')] });
  try {
    const nested = (values: Float32Array) => Array.from({ length: 60 }, (_, i) => Array.from({ length: STEPS }, (_, t) => [...values.subarray(i * SIZE + t * CHANNELS, i * SIZE + (t + 1) * CHANNELS)])); // prettier-ignore
    const v1 = await ask(server, '/v1/waves', { body: { inputs: nested(x) } });
    const found = (v1.json['predictions'] as { label: string }[]).map(({ label }) => label);
    expect(found).toEqual(wanted);
    const inputs = [{ name: 'input', shape: [60, STEPS, CHANNELS], datatype: 'FP32', data: [...data] }];
    const v2 = await ask(server, '/v2/models/waves/infer', { body: { inputs } });
    const [{ data: logits }] = v2.json['outputs'] as [{ data: number[] }];
    expect(relativeError(logits, expected)).toBeLessThan(1e-5);
  } finally {
    await server.end();
  }
}, 600_000);

it('a recurrent student learns from the file of dilated convolutions, whatever their layouts', async () => {
  await writeFile(at('tcn.onnx'), tcn());
  await writeFile(at('lstm.onnx'), lstm());
  const first = await runRecipe(await recipeOf('first', { student: { onnx: 'tcn.onnx' } }), { out: folder() });
  const taught = first.report.models.find(({ format }) => format === 'onnx')!;
  await writeFile(at('teacher.onnx'), await readFile(path.join(first.folder, taught.file!)));
  const parts = { teacher: { onnx: 'teacher.onnx' }, student: { onnx: 'lstm.onnx' }, baseline: false };
  const recipe = await recipeOf('second', parts);
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const scored = (id: string) => report.models.find((one) => one.id === id)!;
  expect(scored('teacher').score.test).toBeCloseTo(taught.score.test!, 6);
  const student = scored('distilled');
  expect(student.score.test).toBeGreaterThan(0.7);
  expect((await evaluateFile(path.join(run, student.file!), recipe, 'test')).accuracy).toBeCloseTo(student.score.test!, 6); // prettier-ignore
  // A file of its own layout is calibrated by the recipe, and says how its samples are prepared.
  for (const [format, precision] of [
    ['onnx', 'fp32'],
    ['tflite', 'int8'],
  ] as const) {
    // prettier-ignore
    const file = at(`again.${format}`);
    await convertFile({
      from: at('teacher.onnx'),
      data: at('second.json'),
      format,
      precision,
      out: file,
      accept: true,
    });
    expect((await evaluateFile(file, recipe, 'test')).accuracy).toBeGreaterThan(taught.score.test! - 0.05);
  }
}, 600_000);
