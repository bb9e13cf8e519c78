import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../../../src/base/errors.ts';
import { readSafetensors } from '../../../../src/formats/safetensors.ts';
import type { RunEvent } from '../../../../src/base/events.ts';
import { runRecipe } from '../../../../src/run/run.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../../../support/digits.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();

const BASE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 4, batchSize: 64 } },
  student: { model: 'mlp', hidden: [16] },
  baseline: false,
  distill: { epochs: 6, batchSize: 64, optimizer: { learningRate: 0.01 } },
  ...QUICK,
};
const QAT = { method: 'qat', samples: 64, maxDrop: 100 };

function follow(change: object, options: Parameters<typeof runRecipe>[1] = {}) {
  return runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: folder(), ...options });
}

const bytes = (run: string, file: string) => readFile(path.join(folder(), run, 'exports', file), 'base64');

async function ledger(run: string) {
  const { rows } = JSON.parse(await readFile(path.join(folder(), run, 'ledger.json'), 'utf8')) as {
    rows: { stage: string; figures: object; notes: Record<string, unknown> }[];
  };
  return new Map(rows.map((row) => [row.stage, row]));
}

/** The newest saved state of a stage. */
async function state(run: string, stage: string) {
  const states = path.join(folder(), run, 'state');
  const files = (await readdir(states)).filter((name) => name.startsWith(`${stage}-`)).sort();
  return readSafetensors(await readFile(path.join(states, files.at(-1)!)), stage).tensors;
}

it('trains the student with quantization and ships both formats, each agreeing with the training graph', async () => {
  const { report } = await follow({ quantize: [{ samples: 64 }, QAT], export: ['onnx', 'tflite'] });
  const made = report.models.map(({ id, stage, format }) => [id, stage, format]);
  expect(made).toEqual(
    expect.arrayContaining([
      ['distilled-int8', 'quantize', 'onnx'],
      ['distilled-int8-qat', 'qat-2', 'onnx'],
      ['distilled-int8-qat-tflite', 'qat-2', 'tflite'],
    ]),
  );
  const [float, ...others] = report.models.filter(({ id }) => id.startsWith('distilled'));
  for (const { score } of others) expect(score.test!).toBeGreaterThan(float!.score.test! - 0.03);
  const parity = report.parity.find(({ file }) => file.endsWith('int8-qat.onnx'))!;
  expect(parity.top1Agreement).toBeGreaterThan(0.99);
  expect((await ledger('r')).get('qat-2')).toMatchObject({
    figures: { score: { validation: expect.any(Number) as number } },
    notes: { method: 'qat', epochs: [{ epoch: 1 }, { epoch: 2 }], drop: expect.any(Number) as number },
  });
}, 120_000);

it('stopped inside the training with quantization goes on to the same bits, ranges included', async () => {
  const quantize = { ...QAT, qat: { epochs: 3 } };
  await follow({ quantize }, { out: path.join(folder(), 'whole') });
  const out = path.join(folder(), 'stopped');
  const stop = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'epoch' && event.stage === 'qat-1') stop.abort();
  };
  const stopped = follow({ quantize }, { out, signal: stop.signal, onEvent });
  await expect(stopped).rejects.toThrow(InterruptedError);
  await expect(stopped).rejects.toThrow(/stopped qat-1 after step \d+ of \d+/);
  await follow({ quantize }, { out });
  const [resumed, whole] = [await state('stopped/r', 'qat-1'), await state('whole/r', 'qat-1')];
  expect([...whole.keys()]).toEqual(expect.arrayContaining(['state/range/low', 'state/range/high', 'best/range/high']));
  expect(resumed).toEqual(whole);
  const file = 'distilled-int8-qat.onnx';
  expect(await bytes('stopped/r', file)).toBe(await bytes('whole/r', file));
}, 120_000);

describe('where post-training quantization loses too much', () => {
  // Ranges from a single sample clip what all others give.
  const step = { calibrator: 'minmax', samples: 1, fallback: 'qat' };

  it('trains with quantization, with a row for each', async () => {
    const quantize = { ...step, qat: { epochs: 6 } };
    const dropsOf = async (run: string): Promise<number[]> => {
      const rows = await ledger(run);
      return ['ptq-1', 'qat-1'].map((stage) => Number(rows.get(stage)!.notes['drop']));
    };
    // How much each loses depends on the processor's rounding; a limit between the two does not.
    await follow({ name: 'strict', seed: 4, quantize: { ...quantize, maxDrop: 0 } });
    const [before, after] = await dropsOf('strict');
    expect(after).toBeLessThan(before!);
    const { report } = await follow({ name: 'f', seed: 4, quantize: { ...quantize, maxDrop: (before! + after!) / 2 } });
    expect(await dropsOf('f')).toEqual([before, after]);
    const rows = await ledger('f');
    expect(rows.get('ptq-1')!.notes).toMatchObject({ method: 'ptq', shipped: false });
    expect(rows.get('qat-1')!.notes).toMatchObject({ method: 'qat' });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled', 'distilled-int8-qat']);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/more than quantize\[0\]\.maxDrop [\d.]+; .*trained with quantization$/),
    );
  }, 120_000);

  it('holds the trained student to the same drop', async () => {
    const { report } = await follow({ name: 'h', seed: 3, quantize: { ...step, maxDrop: 0 } });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
    expect(report.notes).toContainEqual(expect.stringMatching(/int8-qat\.onnx: int8 loses .*float files ship alone$/));
  }, 120_000);
});

it('says that a hint cannot be used, since its tensors are folded away', async () => {
  const features = [{ student: 'dense1', teacher: 'dense1' }];
  const distill = { epochs: 1, batchSize: 64, loss: 'hint', features, softTargets: { store: 'live' } };
  const { report } = await follow({ name: 'hint', distill, quantize: { ...QAT, qat: { epochs: 1 } } });
  expect(report.notes).toContain(
    'qat-1: trained by kd instead of hint, whose inner tensors are folded away before quantization',
  );
}, 120_000);

it('keeps layers in float that the step names', async () => {
  const { report } = await follow({ name: 'k', quantize: { ...QAT, keepFloat: ['dense1'], qat: { epochs: 1 } } });
  expect(report.notes).toContain('exports/distilled-int8-qat.onnx: dense1 stays as it was: it is kept in float');
  expect(report.parity.find(({ file }) => file.endsWith('int8-qat.onnx'))!.top1Agreement).toBeGreaterThan(0.99);
}, 120_000);

it('refuses to train for fp16, and with symmetric ranges', () => {
  const refused = (step: object) => () => makeRecipe({ ...BASE, quantize: { scheme: 'fp16', ...step } }, folder());
  expect(refused({ method: 'qat' })).toThrow('quantize.method: not read beside scheme: fp16');
  expect(refused({ scheme: 'int8', method: 'qat', symmetric: true })).toThrow(
    'quantize.symmetric: not read beside method: qat',
  );
  expect(refused({ scheme: 'int8', fallback: 'qat', symmetric: true })).toThrow(/symmetric: expected false beside qat/);
  expect(refused({ fallback: 'qat' })).toThrow('quantize.fallback: expected one of keep-float, stop, received "qat"');
});
