import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { QUICK } from './digits.ts';
import { wavFile } from './sound.ts';

const RATE = 16_000;

/** Half a second of a tone that rises (the word) or falls, amid noise. */
function sound(random: RandomStream, rises: boolean, seconds: number): number[] {
  const [base, loud] = [400 + 200 * random.uniform(), 0.1 + 0.3 * random.uniform()];
  const begin = seconds - 0.55;
  let phase = 0;
  return Array.from({ length: seconds * RATE }, (_, i) => {
    const t = i / RATE - begin;
    const noise = 0.01 * random.normal();
    if (t < 0 || t > 0.5) return noise;
    phase += (2 * Math.PI * base * (rises ? 1 + 4 * t : 3 - 4 * t)) / RATE;
    return noise + loud * Math.sin(phase);
  });
}

function write(file: string, values: readonly number[]): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, wavFile(values));
}

/** Sounds of a wake word, a rising tone, in `folder`, and a recipe that learns it in some seconds. */
export function wakeWord(folder: string, change: object = {}) {
  const random = new RandomStream('wake word');
  for (const [split, count] of Object.entries({ train: 40, validation: 10, test: 10 }))
    for (const label of ['other', 'word'])
      for (let i = 0; i < count; i++) {
        const values = label === 'other' && i % 3 === 0 ? sound(random, false, 0.55).map((value) => value / 50) : [];
        write(
          path.join(folder, split, label, `${i}.wav`),
          [...sound(random, label === 'word', 1), ...values].slice(-RATE),
        );
      }
  for (let i = 0; i < 4; i++) {
    const parts = Array.from({ length: 20 }, () => sound(random, false, 1));
    write(path.join(folder, 'recordings', `${i}.wav`), parts.flat());
  }
  const [train, validation, test] = ['train', 'validation', 'test'].map((split) => path.join(folder, split));
  return {
    name: 'wake',
    dataset: { type: 'micro-features', train, validation, test, seconds: 1, normalize: 'none' },
    student: { model: 'stream-mixer', filters: 8, depth: 2, stride: 3 },
    distill: { epochs: 8, batchSize: 16, optimizer: { type: 'adamw', learningRate: 0.01 } },
    ...QUICK,
    ...change,
  };
}
