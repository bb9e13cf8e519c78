import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { UserError } from '../../../src/base/errors.ts';
import { decodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { writeKit } from '../../../src/ship/kit/kit.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const BASE = {
  name: 'r',
  dataset: DIGITS,
  student: { model: 'mlp', hidden: [16] },
  distill: { epochs: 8, batchSize: 64 },
  export: ['onnx', 'tflite'],
  ...QUICK,
};

const follow = (change: object) => runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: folder() });
const filesIn = async (name: string) => (await readdir(path.join(folder(), name, 'exports'))).sort();

it('exports both formats in fp32 and int8, each run beside the training graph, the same bytes every time', async () => {
  const quantize = { calibrator: 'mse', samples: 64, maxDrop: 5 };
  const names = ['scratch-int8.onnx', 'scratch-int8.tflite', 'scratch.onnx', 'scratch.tflite'];
  const { report } = await follow({ quantize });
  expect(await filesIn('r')).toEqual(names);
  expect(report.models.map(({ id, format, precision }) => [id, format, precision])).toEqual([
    ['scratch', 'onnx', 'fp32'],
    ['scratch-tflite', 'tflite', 'fp32'],
    ['scratch-int8', 'onnx', 'int8'],
    ['scratch-int8-tflite', 'tflite', 'int8'],
  ]);
  expect(report.parity.map(({ file }) => path.basename(file)).sort()).toEqual(names);
  for (const { score } of report.models) {
    expect(Math.abs(score.test! - report.models[0]!.score.test!)).toBeLessThan(0.05);
  }
  const bytes = () => Promise.all(names.map((name) => readFile(path.join(folder(), 'r/exports', name), 'base64')));
  for (const name of names.filter((file) => file.endsWith('.tflite'))) {
    const { metadata, files } = describeTflite(new Uint8Array(await readFile(path.join(folder(), 'r/exports', name))));
    expect(files).toEqual(['labels.txt']);
    expect(metadata).toMatchObject({
      name: 'r',
      description: expect.stringContaining('Gives one of 10 classes.') as string,
      version: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      subgraphMetadata: [
        {
          inputTensorMetadata: [
            {
              content: { contentProperties: { type$: 'ImageProperties', colorSpace: 2 } },
              processUnits: [{ options: { type$: 'NormalizationOptions', mean: [0], std: [16] } }],
            },
          ],
        },
      ],
    });
  }
  const first = await bytes();
  await runRecipe(makeRecipe({ ...BASE, quantize }, folder()), { out: folder(), existing: 'fresh' });
  expect(await bytes()).toEqual(first);
}, 300_000);

const onOnnx = { ...BASE, export: ['onnx'], student: { model: 'mlp', hidden: [16, 16] } };

it('keeps the layers in float that it is told to, and says of each layer what 8 bits cost', async () => {
  const quantize = { samples: 64, maxDrop: 5, keepFloat: ['dense1'] };
  const { report } = await runRecipe(makeRecipe({ ...onOnnx, quantize }, folder()), {
    out: folder(),
    existing: 'fresh',
  });
  const { model, rows } = report.quantizationSensitivity!;
  expect(model).toBe('scratch');
  expect(rows.map(({ layer }) => layer).sort()).toEqual(['dense1', 'dense2', 'logits']);
  expect(rows[0]!.noise).toBeGreaterThanOrEqual(rows[2]!.noise);
  expect(report.notes).toContain('exports/scratch-int8.onnx: dense1 stays as it was: it is kept in float');
}, 300_000);

it('keeps the most sensitive layers in float until the drop is within maxDrop, or stops where it is told to', async () => {
  // Symmetric ranges from a single sample clip what all others give.
  const step = { calibrator: 'minmax', samples: 1, symmetric: true, maxDrop: 0 };
  const lossy = (seed: number, fallback: string, maxDrop = 0) =>
    runRecipe(makeRecipe({ ...onOnnx, seed, quantize: { ...step, fallback, maxDrop } }, folder()), {
      out: folder(),
      existing: 'fresh',
    });
  // Not every seed loses anything, and of those that do, some lose it with any layer: one is looked for.
  const kept = /^exports\/scratch-int8\.onnx: (\w+) stays as it was: it is kept in float$/;
  for (let seed = 1; seed <= 12; seed++) {
    const { report } = await lossy(seed, 'keep-float');
    const names = report.notes.flatMap((note) => kept.exec(note)?.[1] ?? []).sort();
    if (names.length === 0) continue;
    const worst = report.quantizationSensitivity!.rows.slice(0, names.length).map(({ layer }) => layer);
    expect(names).toEqual(worst.sort());
    const [float, int8] = report.models;
    expect(int8!.precision).toBe('int8');
    expect(int8!.score.validation).toBeGreaterThanOrEqual(float!.score.validation!);
    const refusal = (await lossy(seed, 'stop').catch((error: unknown) => error)) as UserError;
    expect(refusal.message).toMatch(/int8 loses .* more than quantize\[0\]\.maxDrop 0/);
    expect(refusal.hint).toMatch(/^Set quantize\[0\]\.fallback: keep-float, by which the most sensitive layers stay/);
    // Keep-float is followed above; a drop is named only where the same file passes with it.
    const enough = /maxDrop to ([\d.]+) or more/.exec(refusal.hint)?.[1];
    const wide = await lossy(seed, 'stop', enough === undefined ? 100 : Number(enough)).catch(
      (error: unknown) => error,
    );
    if (enough === undefined) {
      const { message, hint } = wide as UserError;
      expect(message).toMatch(/int8\.onnx: its answers differ from those of the training graph/);
      expect(hint).toBe(refusal.hint);
      const { report: other } = await lossy(seed, 'keep-float', 100);
      expect(other.notes.join('\n')).toMatch(/: it is kept in float$/m);
      expect(other.models.map(({ precision }) => precision)).toEqual(['fp32', 'int8']);
    } else {
      const { report: passed } = wide as Awaited<ReturnType<typeof lossy>>;
      expect(passed.models.map(({ precision }) => precision)).toEqual(['fp32', 'int8']);
    }
    return;
  }
  throw new Error('of 12 seeds, none lost anything that layers in float gave back');
}, 300_000);

it('the remedy of weights that lose too much names keys that they have', async () => {
  const int4 = (units: number, keys: object) => {
    const student = { model: 'mlp', hidden: [units, units] };
    return runRecipe(makeRecipe({ ...onOnnx, student, quantize: { scheme: 'int4', ...keys } }, folder()), {
      out: folder(),
      existing: 'fresh',
    });
  };
  const exact = { maxDrop: 0, fallback: 'stop' };
  for (let hidden = 16; hidden >= 2; hidden /= 2) {
    const refusal = (await int4(hidden, exact).then(
      () => undefined,
      (error: unknown) => error,
    )) as UserError | undefined;
    if (refusal === undefined) continue;
    expect(refusal.hint).toMatch(
      /^Set quantize\[0\]\.fallback: keep-float, by which the float files ship alone, or quantize\[0\]\.maxDrop to [\d.]+ or more\.$/,
    );
    const { report } = await int4(hidden, { ...exact, fallback: 'keep-float' });
    expect(report.models.map(({ precision }) => precision)).toEqual(['fp32']);
    return;
  }
  throw new Error('no net lost anything by 4 bits');
}, 300_000);

it('ships dynamic int8 and int4, with what a program has to know in the file', async () => {
  const quantize = [
    { scheme: 'dynamic-int8', maxDrop: 5 },
    { scheme: 'int4', maxDrop: 10 },
  ];
  const { report } = await runRecipe(makeRecipe({ ...onOnnx, quantize, onnx: { opset: 19 } }, folder()), {
    out: folder(),
    existing: 'fresh',
  });
  expect(report.models.map(({ precision }) => precision)).toEqual(['fp32', 'dynamic-int8', 'int4']);
  for (const [name, opset] of [
    ['scratch', 19],
    ['scratch-dynamic-int8', 19],
    ['scratch-int4', 21],
  ] as const) {
    const file = path.join(folder(), 'r/exports', `${name}.onnx`);
    const { metadata, opsets } = decodeModel(new Uint8Array(await readFile(file)), file);
    expect(opsets.get('')).toBe(opset);
    expect(JSON.parse(metadata.get('labels')!)).toHaveLength(10);
    expect(JSON.parse(metadata.get('preprocessing')!)).toEqual({ shape: [8, 8, 1], scale: 1, mean: [0], std: [16] });
    expect(metadata.get('recipeSha256')).toMatch(/^[0-9a-f]{64}$/);
  }
}, 300_000);

it('refuses to keep a layer in float that the model does not have', async () => {
  const quantize = { samples: 64, keepFloat: ['dens1'] };
  await expect(
    runRecipe(makeRecipe({ ...onOnnx, quantize }, folder()), { out: folder(), existing: 'fresh' }),
  ).rejects.toMatchObject({
    message: 'quantize.keepFloat: expected a layer of the model, received dens1',
    hint: 'Did you mean dense1?',
  });
}, 300_000);

it('ships TFLite with 16-bit activations, 8-bit ends and any batch, measured as they are', async () => {
  const quantize = [
    { samples: 64, maxDrop: 5 },
    { scheme: 'int16x8', samples: 64, maxDrop: 5 },
  ];
  const { report } = await runRecipe(
    makeRecipe({ ...BASE, quantize, tflite: { ends: 'int8', batch: 'dynamic' } }, folder()),
    { out: folder(), existing: 'fresh' },
  );
  const files = report.models.filter(({ format }) => format === 'tflite');
  expect(files.map(({ id, precision }) => [id, precision])).toEqual([
    ['scratch-tflite', 'fp32'],
    ['scratch-int8-tflite', 'int8'],
    ['scratch-int16x8-tflite', 'int16x8'],
  ]);
  for (const { score } of files) expect(Math.abs(score.test! - report.models[0]!.score.test!)).toBeLessThan(0.05);
  const described = await Promise.all(
    files.map(async ({ file }) => describeTflite(new Uint8Array(await readFile(path.join(folder(), 'r', file!))))),
  );
  expect(described.map(({ inputs }) => [inputs[0]!.dtype, inputs[0]!.shape])).toEqual([
    ['float32', [-1, 8, 8, 1]],
    ['int8', [-1, 8, 8, 1]],
    ['float32', [-1, 8, 8, 1]],
  ]);
  expect(described[2]!.layers.map(({ precision }) => precision)).toContain('int16 × int8');

  // The samples of a kit feed float32.
  const { files: kit, skipped } = await writeKit(path.join(folder(), 'r'), path.join(folder(), 'kit'));
  expect(kit).toContain('models/scratch-int16x8.tflite');
  expect(kit).not.toContain('models/scratch-int8.tflite');
  expect(skipped).toEqual([{ what: 'models/scratch-int8.tflite', why: expect.stringContaining('int8') as string }]);
}, 300_000);
