import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { wavFile } from './sound.ts';

/** Tones of three pitches, each at a loudness and phase of its own, in noise: WAV files of 0.2 s at 4 kHz in `tones`. Gives its path. */
export function tones(folder: string): string {
  const random = new RandomStream('tones');
  const root = path.join(folder, 'tones');
  for (const [name, hertz] of Object.entries({ low: 300, middle: 700, high: 1500 })) {
    mkdirSync(path.join(root, name), { recursive: true });
    for (let i = 0; i < 40; i++) {
      const [loud, phase, pitch] = [0.05 + 0.6 * random.uniform(), 6 * random.uniform(), 0.9 + 0.2 * random.uniform()];
      const values = Array.from(
        { length: 800 },
        (_, t) => loud * (Math.sin((2 * Math.PI * hertz * pitch * t) / 4000 + phase) + 0.2 * random.normal()) * 0.8,
      );
      writeFileSync(
        path.join(root, name, `${i}.wav`),
        wavFile(
          values.map((v) => Math.max(-1, Math.min(1, v))),
          { rate: 4000 },
        ),
      );
    }
  }
  return root;
}
