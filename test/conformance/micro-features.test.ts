// Needs the feature micro-features.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { MicroFrontEnd } from '../../src/data/formats/micro-features/front-end.ts';
import { runPython } from './python.ts';

const RATE = 16_000;

/** Two seconds of sounds of all loudnesses: silence, noise, tones, sweeps, clipped ones, a click, a constant, the smallest value. */
function sounds(): Int16Array[] {
  const random = new RandomStream('micro-features');
  const made = (value: (t: number, i: number) => number): Int16Array =>
    Int16Array.from({ length: 2 * RATE }, (_, i) =>
      Math.max(-32_768, Math.min(32_767, Math.round(32_768 * value(i / RATE, i)))),
    );
  const drawn = Array.from({ length: 24 }, () => {
    const [loud, hertz] = [3 * random.uniform() ** 3, 50 + 7000 * random.uniform()];
    const noisy = [0, 0.001, 0.1][random.below(3)]!;
    return made((t) => loud * Math.sin(2 * Math.PI * hertz * t) + noisy * random.normal());
  });
  return [
    made(() => 0),
    made(() => -1),
    made((_, i) => (i === RATE ? -1 : 0)),
    made(() => 0.0005 * random.normal()),
    made(() => 0.8 * random.normal()),
    made((t) => Math.sign(Math.sin(2 * Math.PI * 1000 * t))),
    made((t) => 0.3 * Math.sin(2 * Math.PI * (100 + 3000 * t) * t) + 0.003 * random.normal()),
    made((t) => (t < 1 ? 0 : 0.3 * random.normal())),
    ...drawn,
  ];
}

it('features of sounds are those of pymicro-features, number by number', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    const all = sounds();
    writeFileSync(path.join(folder, 'sounds.json'), JSON.stringify(all.map((sound) => [...sound])));
    const found = runPython('micro_features_check.py', folder) as number[][][];
    expect(found).toHaveLength(all.length);
    found.forEach((frames, i) => expect([i, ...new MicroFrontEnd().heard(all[i]!)]).toEqual([i, ...frames.flat()]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
