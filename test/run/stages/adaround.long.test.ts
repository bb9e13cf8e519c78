import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../../src/base/errors.ts';
import type { RunEvent } from '../../../src/base/events.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/runnable.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const BASE = {
  name: 'r',
  dataset: DIGITS,
  student: { model: 'mlp', hidden: [16, 16] },
  distill: { epochs: 6, batchSize: 64, optimizer: { learningRate: 0.01 } },
  quantize: { rounding: 'adaround', adaround: { iterations: 60 }, samples: 64, maxDrop: 5 },
  export: ['onnx', 'tflite'],
  ...QUICK,
};

const follow = (out: string, change: object = {}, options: Parameters<typeof runRecipe>[1] = {}) =>
  runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: path.join(folder(), out), ...options });

const FILES = ['scratch-int8.onnx', 'scratch-int8.tflite'];
const bytes = (out: string) =>
  Promise.all(FILES.map((file) => readFile(path.join(folder(), out, 'r/exports', file), 'base64')));

it('rounds weights adaptively once for both formats; stopped inside it ends with the same bits', async () => {
  const { report } = await follow('whole');
  expect(report.models.map(({ id }) => id)).toEqual(expect.arrayContaining(['scratch-int8', 'scratch-int8-tflite']));
  const start = 'adaround-1: the squared error of what a layer gives is';
  const [note, ...more] = report.notes.filter((one) => one.startsWith(start));
  expect(Number(/is ([\d.]+) % smaller, on average over 3 layers/.exec(note!)![1])).toBeGreaterThan(5);
  expect(more).toEqual([]);
  const { rows } = JSON.parse(await readFile(path.join(folder(), 'whole/r/ledger.json'), 'utf8')) as {
    rows: { stage: string; notes: Record<string, unknown> }[];
  };
  const layers = rows.find(({ stage }) => stage === 'adaround-1')!.notes['layers'];
  expect(layers).toMatchObject([{ layer: 'dense1' }, { layer: 'dense2' }, { layer: 'logits' }]);

  const stop = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'message' && event.message.startsWith('  dense1: error')) stop.abort();
  };
  const stopped = follow('stopped', {}, { signal: stop.signal, onEvent });
  await expect(stopped).rejects.toThrow(InterruptedError);
  await expect(stopped).rejects.toThrow(/stopped adaround-1 after 1 of 3 layers/);
  let resumedAt = '';
  await follow('stopped', {}, {
    onEvent: (event) => {
      if (event.type === 'stage' && event.stage === 'adaround-1') resumedAt = event.resumedAt!;
    },
  }); // prettier-ignore
  expect(resumedAt).toMatch(/^layer 2, step \d+$/);
  expect(await bytes('stopped')).toEqual(await bytes('whole'));

  // It is another file than that of the nearest steps.
  await follow('nearest', { quantize: { samples: 64, maxDrop: 5, biasCorrection: false } });
  expect((await bytes('nearest'))[0]).not.toBe((await bytes('whole'))[0]);
}, 120_000);

it('is for int8 after training alone', () => {
  for (const [key, value] of Object.entries({ scheme: 'fp16', method: 'qat' })) {
    expect(() => makeRecipe({ ...BASE, quantize: { ...BASE.quantize, [key]: value } }, folder())).toThrow(
      `quantize.rounding: not read beside ${key}: ${value}`,
    );
  }
});
