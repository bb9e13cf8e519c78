import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { classesOf } from '../../src/tasks/classification/classes.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { loadData } from '../../src/setup/data.ts';
import { compression } from '../../src/tools/compress/compress.ts';
import type { CompressOptions } from '../../src/tools/compress/compress.ts';
import { besideOriginal, besideText } from '../../src/tools/compress/within.ts';
import { budgetOf } from '../../src/tools/compress/budget.ts';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { reportText } from '../../src/report/render/text.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { floats, modelOf, positive } from '../support/onnx-steps.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

/** A small net that knows digits, and pictures of digits that say nothing of what they are. */
async function given(): Promise<{ model: string; data: string }> {
  const trained = await runRecipe(
    makeRecipe(
      {
        ...{ name: 'whole', dataset: DIGITS, student: { model: 'mlp', hidden: [64, 64] }, ...QUICK },
        distill: { epochs: 8, batchSize: 32, optimizer: { learningRate: 0.01 } },
      },
      folder(),
    ),
    { out: folder() },
  );
  const model = path.join(trained.folder, trained.report.models[0]!.file!);
  const rows = (await readFile(DIGITS.train, 'utf8')).trimEnd().split('\n').slice(1, 601);
  const x = Float32Array.from(
    rows.flatMap((row) =>
      row
        .split(',')
        .slice(0, 64)
        .map((value) => Number(value) / 16),
    ),
  );
  await writeFile(at('digits.npy'), npyBytes([rows.length, 8, 8, 1], x));
  return { model, data: at('digits.npy') };
}

const asked = (more: Pick<CompressOptions, 'model' | 'data'> & Partial<CompressOptions>): CompressOptions => ({
  ...{ epochs: 1, seed: 0, formats: ['onnx'], out: folder(), seconds: 0.5, set: ['report.latency.seconds=1'], ...more },
});

it('a model becomes smaller on samples without labels, and all that is said of it is agreement with the original', async () => {
  const options = asked({ ...(await given()), name: 'small', budget: 'size=8,latency=2,drop=100' });
  const { loaded, budget } = await compression(options);
  // Arrays are what the model is fed, whatever the file says of raw samples.
  const asIs = { scale: 1, mean: 0, std: 1 };
  expect(loaded.recipe).toMatchObject({ teacher: { normalize: asIs }, distill: { epochs: 0, alpha: 1 } });
  const { folder: run, report } = await runRecipe(loaded, { out: folder() });
  expect(report.dataset.labelledBy).toBe(path.basename(options.model));

  // The original agrees with itself, and so does what was taken of it as it is.
  const [original, whole] = report.models;
  expect([original!.score.test, whole!.score.test]).toEqual([1, 1]);
  const made = besideOriginal(report, budget, new Map());
  const best = made[0]!;
  expect(best).toMatchObject({ id: expect.stringContaining('int8') as string });
  expect(best.size).toBeGreaterThan(4);
  expect(best.drop).toBeLessThan(30);
  const narrow = report.models.find(({ id }) => id === 'pruned-2')!;
  expect(narrow.params).toBeLessThan(0.7 * original!.params);

  for (const text of [reportText(report, run), reportMarkdown(report), reportHtml(report)]) {
    expect(text).toMatch(/No labels are known: every score is agreement with the original/);
    expect(text.replaceAll(/minAccuracy|data-\S+/g, '')).not.toMatch(/\b(as|more|less) accurate\b/);
  }
  expect(reportHtml(report)).not.toMatch(/>[^<]*\baccuracy\b[^<]*</);
  expect(besideText(report, made, budget, run)).toMatch(/× smaller, .* points of agreement lost/);

  // The same command finds the run that is done.
  const again = await runRecipe((await compression(options)).loaded, { out: folder() });
  expect(again.report).toEqual(report);
});

it('budgets are factors and points', () => {
  expect(budgetOf(undefined, true)).toEqual({ size: 4, latency: 2, drop: 1 });
  expect(budgetOf('size=6x, drop=0.5', false)).toEqual({ size: 6, latency: 2, drop: 0.5 });
  for (const wrong of ['4', 'size=0.5', 'speed=2', 'drop=101', ''])
    expect(() => budgetOf(wrong, true)).toThrow(/^--budget: expected/);
});

describe('data', () => {
  const CONV = { a: floats(4, 3, 3, 3) };
  const steps = [
    ['Conv', ['x', 'a'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
    ['GlobalAveragePool', ['y0']],
    ['Flatten', ['y1'], { axis: 1 }],
  ] as const;
  const model = async (): Promise<string> => {
    await writeFile(at('m.onnx'), encodeModel(modelOf(['n', 3, 6, 6], CONV, steps)));
    return at('m.onnx');
  };
  const x = Float32Array.from({ length: 40 * 108 }, (_, i) => Math.sin(i * i));

  it('of an archive with labels are what it says', async () => {
    const y = Int32Array.from({ length: 40 }, (_, i) => i % 3);
    const archive = zipSync({ 'x.npy': npyBytes([40, 3, 6, 6], x), 'y.npy': npyBytes([40], y) });
    await writeFile(at('d.npz'), archive);
    const { loaded, budget } = await compression(asked({ model: await model(), data: at('d.npz') }));
    const data = await loadData(loaded.recipe);
    expect(loaded.recipe.dataset.labelledBy).toBeUndefined();
    expect([data.train.sampleShape, data.classNames.length]).toEqual([[6, 6, 3], 4]);
    expect(budget.drop).toBe(1);
  });

  it('without labels have those that the model gives them, whatever lies first, channels or pixels', async () => {
    await writeFile(at('x.npy'), npyBytes([40, 3, 6, 6], x));
    const { loaded, budget } = await compression(asked({ model: await model(), data: at('x.npy') }));
    expect(budget.drop).toBe(5);
    const { train, validation, test } = await loadData(loaded.recipe);
    const session = new InferenceModel(await readFile(await model()), 'm', { logSeverityLevel: 3 });
    const { y } = await session.run({ x: { data: x, shape: [40, 3, 6, 6] } });
    session.dispose();
    const wanted = classesOf(y!.data as Float32Array, 4);
    for (const { ids, targets } of [train, validation, test!])
      expect([...targets]).toEqual([...ids].map((id) => wanted[id]!));
  });

  it('may be a folder of pictures that nobody sorted', async () => {
    await mkdir(at('pictures'));
    for (let i = 0; i < 30; i++) {
      const pixels = Uint8Array.from({ length: 300 }, (_, j) => (i * i * (j + 7) * 31) % 256);
      await sharp(pixels, { raw: { width: 10, height: 10, channels: 3 } })
        .png()
        .toFile(at(`pictures/${i}.png`));
    }
    const given = { model: await model(), data: at('pictures'), mean: [0.5], std: [0.2] };
    await expect(compression(asked({ ...given, std: undefined }))).rejects.toThrow(/--mean and --std: expected both/);
    const { loaded } = await compression(asked({ ...given, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] }));
    const { train } = await loadData(loaded.recipe);
    expect(train.sampleShape).toEqual([6, 6, 3]);
    expect(train.normalization).toEqual({ scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] });
    expect(loaded.recipe.dataset.labelledBy).toBe('m.onnx');
  });
});

describe('cuts', () => {
  const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const END = [['GlobalAveragePool', ['y1']], ['Flatten', ['y2'], { axis: 1 }]] as const; // prettier-ignore
  const write = async (steps: Parameters<typeof modelOf>[2], stored: Parameters<typeof modelOf>[1]) => {
    const x = Float32Array.from({ length: 40 * 72 }, (_, i) => Math.sin(i * i));
    await writeFile(at('x.npy'), npyBytes([40, 2, 6, 6], x));
    await writeFile(at('m.onnx'), encodeModel(modelOf(['n', 2, 6, 6], stored, steps)));
    return { model: at('m.onnx'), data: at('x.npy') };
  };
  const two = () => write([['Conv', ['x', 'a'], SAME], ['Conv', ['y0', 'b'], SAME], ...END], { a: floats(64, 2, 3, 3), b: floats(4, 64, 3, 3) }); // prettier-ignore
  const amounts = ({ loaded }: { loaded: { recipe: { prune: readonly object[] } } }) =>
    loaded.recipe.prune.map((step) => [(step as { target: string }).target, (step as { amount: number }).amount]);

  it('are as many as the size takes that 8 bits leave open, in steps of a third at most, and are chosen once', async () => {
    const files = await two();
    const first = await compression(asked({ ...files, budget: 'size=5,latency=1' }));
    const steps = amounts(first);
    expect(steps.length).toBeGreaterThan(1);
    for (const [target, amount] of steps) {
      expect(target).toBe('parameters');
      expect(amount).toBeLessThanOrEqual(1 / 3);
    }
    const stored = JSON.parse(await readFile(at('m-small.samples/cuts.json'), 'utf8')) as { cuts: object };
    await writeFile(at('m-small.samples/cuts.json'), JSON.stringify({ ...stored, cuts: { macs: 1.5, parameters: 1 } }));
    const again = await compression(asked({ ...files, budget: 'size=5,latency=1' }));
    expect(amounts(again)).toEqual([['macs', expect.closeTo(1 / 3)]]);
    const anew = await compression(asked({ ...files, budget: 'size=5,latency=1', fresh: true }));
    expect(amounts(anew)).toEqual(steps);
    expect(amounts(await compression(asked({ ...files, budget: 'size=1,latency=1' })))).toEqual([]);
  });

  it('are made without training where no epochs are asked for', async () => {
    const { loaded } = await compression(asked({ ...(await two()), budget: 'size=5,latency=1', epochs: 0 }));
    const { prune, quantize } = loaded.recipe;
    expect(prune.map(({ finetune }) => finetune.epochs)).toEqual(prune.map(() => 0));
    expect(quantize).toMatchObject([{ scheme: 'int8', method: 'ptq', fallback: 'keep-float' }]);
  });

  it('are followed by a training at a higher rate where the file has batch norms', async () => {
    const rates = async (files: { model: string; data: string }) => {
      const { loaded } = await compression(asked({ ...files, budget: 'size=5,latency=1' }));
      return new Set(loaded.recipe.prune.map(({ finetune }) => finetune.optimizer!.learningRate));
    };
    expect(await rates(await two())).toEqual(new Set([0.001]));
    const norm = { s: positive(64), o: floats(64), m: floats(64), v: positive(64) };
    const steps = [
      ['Conv', ['x', 'a'], SAME],
      ['BatchNormalization', ['y0', 's', 'o', 'm', 'v']],
      ['Conv', ['y1', 'b'], SAME],
      ['GlobalAveragePool', ['y2']],
      ['Flatten', ['y3'], { axis: 1 }],
    ] as const;
    expect(await rates(await write(steps, { a: floats(64, 2, 3, 3), b: floats(4, 64, 3, 3), ...norm }))).toEqual(
      new Set([0.003]),
    );
  });

  it('are none where no channels can be removed, and that is said', async () => {
    const files = await write([['Conv', ['x', 'a'], SAME], ['Relu', ['y0']], ...END], { a: floats(4, 2, 3, 3) });
    const { loaded, notes } = await compression(asked(files));
    expect(loaded.recipe.prune).toEqual([]);
    expect(notes).toEqual([
      'm.onnx: no channels can be removed, as its channels are the outputs of the model: it is only quantized',
    ]);
  });
});

describe('refused', () => {
  const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const write = async (
    steps: Parameters<typeof modelOf>[2],
    stored: Parameters<typeof modelOf>[1],
    outputs = ['y'],
  ) => {
    const model = modelOf(['n', 2, 6, 6], stored, steps);
    const all = {
      ...model,
      graph: { ...model.graph, outputs: outputs.map((name) => ({ name, dtype: 'float32' as const })) },
    };
    await writeFile(at('m.onnx'), encodeModel(all));
    await writeFile(
      at('x.npy'),
      npyBytes(
        [20, 2, 6, 6],
        Float32Array.from({ length: 1440 }, (_, i) => Math.sin(i)),
      ),
    );
    return { model: at('m.onnx'), data: at('x.npy') };
  };
  const END = [['GlobalAveragePool', ['y0']], ['Flatten', ['y1'], { axis: 1 }]] as const; // prettier-ignore
  const CONV = { a: floats(4, 2, 3, 3) };
  const whole = () => write([['Conv', ['x', 'a'], SAME], ...END], CONV);

  it.each([
    ['samples of another shape', async () => {
      const files = await whole();
      await writeFile(files.data, npyBytes([5, 6, 6, 2], new Float32Array(360)));
      return files;
    }, /expected an array \[samples, 2, 6, 6\], as the input x of \S+m\.onnx is, received \[5, 6, 6, 2\]/],
    ['several outputs', () => write([['Conv', ['x', 'a'], SAME], ...END], CONV, ['y', 'y1']), /expected one output, received y, y1/],
    ['logarithms of probabilities', () => write([['Conv', ['x', 'a'], SAME], ...END.slice(0, 1), ['Flatten', ['y1'], { axis: 1 }], ['LogSoftmax', ['y2']]], CONV), /expected logits, received a model that ends in node_3 \(LogSoftmax\)/],
    ['an operator that is not known', () => write([['Conv', ['x', 'a'], SAME], ['Nothing', ['y0']]], CONV), /node node_1: the operator Nothing is not known/],
    ['no weights', () => write([['GlobalAveragePool', ['x']], ['Flatten', ['y0'], { axis: 1 }]], {}), /holds no float32 weights to train/],
    ['data that are no data', async () => ({ ...(await whole()), data: at('m.onnx') }), /--data: expected a recipe/],
    ['a damaged archive', async () => {
      const files = await whole();
      await writeFile(at('d.npz'), 'PK');
      return { ...files, data: at('d.npz') };
    }, /d\.npz: not an \.npz archive, or a damaged one/],
    ['data that are not there', async () => ({ ...(await whole()), data: at('nothing.npz') }), /nothing\.npz/],
    ['a file of another kind', async () => ({ ...(await whole()), model: at('x.npy') }), /expected an \.onnx, \.keras or \.h5 file/],
  ])('%s', async (_, files, message) => {
    await expect(compression(asked(await files()))).rejects.toThrow(message);
  }); // prettier-ignore
});
