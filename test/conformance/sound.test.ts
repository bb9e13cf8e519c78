import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { resampled } from '../../src/data/sounds/resample.ts';
import { logMelNetwork } from '../../src/networks/sound/log-mel.ts';
import type { LogMel } from '../../src/networks/sound/mel.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { echo } from '../support/sound.ts';
import { runPython } from './python.ts';

beforeAll(() => useLazyBackend(evaluator));

function python(cases: readonly object[]): number[][] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('sound_check.py', folder) as number[][];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A gliding tone, a hum and noise, half of it loud. */
function sound(length: number, rate: number): Float32Array {
  const random = new RandomStream('sound');
  return Float32Array.from({ length }, (_, i) => {
    const t = i / rate;
    const loud = i > length / 2 ? 0.8 : 0.01;
    return loud * (Math.sin(2 * Math.PI * (300 + 900 * t) * t) + 0.1 * random.normal() + 0.2 * Math.sin(310 * t)) * 0.6;
  });
}

const usual: LogMel = { rate: 16_000, length: 16_000, window: 480, hop: 320, mels: 40, low: 20, high: 4000 };
const frontEnds: readonly LogMel[] = [
  usual,
  { ...usual, high: 8000, mels: 64, window: 400, hop: 160 },
  { ...usual, coefficients: 10 },
  { ...usual, window: 481, hop: 320, low: 0 },
  { ...usual, rate: 8000, length: 9001, window: 256, hop: 100, high: 3800 },
];

it('the front-end hears what librosa does', async () => {
  const sounds = frontEnds.map(({ length, rate }) => sound(length, rate));
  const expected = python(frontEnds.map((frontEnd, i) => ({ ...frontEnd, values: [...sounds[i]!] })));
  for (const [i, frontEnd] of frontEnds.entries()) {
    const network = logMelNetwork(echo(), frontEnd);
    const x = tf.tensor3d(sounds[i]!, [1, frontEnd.length, 1]);
    const heard = await network.forward({ input: x }, { training: false }).outputs['logits']!.data();
    expect(heard).toHaveLength(expected[i]!.length);
    const largest = Math.max(...expected[i]!.map(Math.abs));
    const worst = Math.max(...expected[i]!.map((value, k) => Math.abs(value - heard[k]!))) / largest;
    expect(worst).toBeLessThan(1e-4);
  }
}, 120_000);

it('resampled sounds are those of SciPy', () => {
  const rates = [
    [44_100, 16_000],
    [8000, 16_000],
    [22_050, 16_000],
    [48_000, 16_000],
  ] as const;
  const values = sound(3001, 16_000);
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  const expected = python(
    rates.map(([from, to]) => ({ values: [...values], up: to / divisor(from, to), down: from / divisor(from, to) })),
  );
  rates.forEach(([from, to], i) => {
    const actual = resampled({ rate: from, values }, to);
    expect(actual).toHaveLength(expected[i]!.length);
    expect(Math.max(...expected[i]!.map((value, k) => Math.abs(value - actual[k]!)))).toBeLessThan(1e-6);
  });
}, 120_000);
