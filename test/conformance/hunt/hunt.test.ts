import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../../../src/base/errors.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { printOnnx } from '../../../src/formats/onnx/print.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { npyBytes } from '../../support/npy.ts';
import { runPython } from '../python.ts';
import { arraysOf } from '../zoo-training.ts';
import { gradientFaults, int8Faults, normals, pruneFaults, readFaults, samples, tfliteFaults } from './compare.ts';
import { CLASSES, randomModel } from './layers.ts';
import { BATCH } from './sketch.ts';

/**
 * Random graphs: those of the seeds 0 to 59, or of LIMBECK_HUNT: `500` for the first 500, `1200-1299` for a range, `17-17` for one that
 * a failure has named.
 */
const [FIRST, LAST] = seedsOf(process.env['LIMBECK_HUNT'] ?? '60');

function seedsOf(text: string): [number, number] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined)
    throw new Error(`LIMBECK_HUNT: expected a number or a range such as 40-49, received ${text}`);
  return last === undefined ? [0, Number(first) - 1] : [Number(first), Number(last)];
}

const folder = mkdtempSync(path.join(tmpdir(), 'hunt-'));
const models = new Map<number, Model>();

beforeAll(() => {
  useLazyBackend(evaluator);
  for (let seed = FIRST; seed <= LAST; seed++) models.set(seed, randomModel(seed));
}, 3_600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whatever is found of any graph, with the graph, and how often which reason refused one. */
async function hunt(what: string, faultsOf: (model: Model, seed: number) => string[] | Promise<string[]>) {
  const found: string[] = [];
  const refused = new Map<string, number>();
  for (const [seed, model] of models) {
    let faults: readonly string[];
    try {
      faults = await faultsOf(model, seed);
    } catch (error) {
      if (error instanceof UserError && error.hint !== '') {
        const reason = error.message.replace(/[A-Za-z0-9]+_v\d+/g, 'node').replace(/\d+/g, '#');
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
        continue;
      }
      faults = [`not refused but: ${error instanceof Error ? error.stack : String(error)}`];
    }
    if (faults.length > 0) found.push(`seed ${seed}: ${faults.join('\n  ')}\n${printOnnx(model)}\n`);
  }
  const count = [...refused.values()].reduce((sum, one) => sum + one, 0);
  const reasons = [...refused].sort((a, b) => b[1] - a[1]).map(([reason, times]) => `${times} × ${reason}`);
  console.log(`${what}: ${models.size} graphs, ${found.length} wrong, ${count} refused\n${reasons.join('\n')}`);
  if (found.length > 0) throw new Error(found.join('\n'));
  if (models.size >= 30) expect(count).toBeLessThan(models.size / 3);
}

it('a random graph is read as ONNX Runtime runs it, whatever the batch', async () => {
  await hunt('read', readFaults);
}, 3_600_000);

it('its int8 file answers alike', async () => {
  await hunt('int8', int8Faults);
}, 3_600_000);

it('its TFLite file answers as it does', async () => {
  await hunt('tflite', tfliteFaults);
}, 3_600_000);

it('as a student it answers as the file, and loses channels as if they were zero', async () => {
  await hunt('pruned', pruneFaults);
}, 3_600_000);

it('a training step computes the gradients that PyTorch computes in float64', async () => {
  const fed = new Map([...models].map(([seed, model]) => [seed, samples(model, BATCH, 'gradient', seed)]));
  const direction = normals([BATCH, CLASSES], 'direction');
  for (const [seed, model] of models) {
    const { shape, data } = fed.get(seed)!;
    writeFileSync(path.join(folder, `${seed}.onnx`), encodeModel(model));
    writeFileSync(path.join(folder, `${seed}.x.npy`), npyBytes(shape, data));
    writeFileSync(path.join(folder, `${seed}.r.npy`), npyBytes([BATCH, CLASSES], direction));
  }
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify([...models.keys()].map((seed) => [seed, true])));
  const problems = runPython('hunt_gradients.py', folder) as Readonly<Record<string, string>>;
  await hunt('gradients', (model, seed) => {
    const arrays = problems[seed] ?? arraysOf(path.join(folder, `${seed}.npz`));
    return gradientFaults(model, fed.get(seed)!, direction, arrays);
  });
}, 3_600_000);
