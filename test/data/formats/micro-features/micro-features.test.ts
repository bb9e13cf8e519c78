// Needs the feature micro-features.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  CHANNELS,
  framesIn,
  MicroFrontEnd,
  microFeatures,
  UNIT,
} from '../../../../src/data/formats/micro-features/front-end.ts';
import { loadDataset } from '../../../../src/data/load.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { wavFile } from '../../../support/sound.ts';
import '../../../support/tasks.ts';

const folder = temporaryFolder();

/** A hum that becomes twelve times louder, in whole numbers. */
const HUM = Int16Array.from({ length: 2080 }, (_, i) => (((i * i * 7) % 4001) - 2000) * (i < 900 ? 1 : 12));

/** What pymicro-features 2.0.2 says of the first and the tenth frame of the hum, and the sum of all eleven. */
const FIRST = [
  646, 593, 648, 593, 647, 593, 647, 588, 635, 584, 643, 593, 645, 588, 647, 596, 645, 595, 648, 593, 649, 593, 649,
  597, 651, 593, 648, 597, 649, 597, 651, 597, 653, 597, 652, 596, 653, 596, 652, 596,
];
const TENTH = [
  561, 481, 533, 475, 578, 523, 578, 529, 607, 540, 561, 325, 519, 500, 585, 481, 502, 489, 588, 483, 580, 448, 523,
  474, 546, 495, 555, 491, 546, 492, 539, 454, 540, 471, 540, 459, 549, 461, 545, 442,
];
const SUM = 243_111;

it('gives the numbers of the front end of TensorFlow Lite Micro, however a sound is cut', () => {
  const whole = new MicroFrontEnd().heard(HUM);
  expect(whole).toHaveLength(framesIn(HUM.length) * CHANNELS);
  expect([...whole.subarray(0, CHANNELS)]).toEqual(FIRST);
  expect([...whole.subarray(9 * CHANNELS, 10 * CHANNELS)]).toEqual(TENTH);
  expect(whole.reduce((a, b) => a + b)).toBe(SUM);
  const ear = new MicroFrontEnd();
  const parts = [0, 1, 7, 480, 640, 1500].flatMap((from, i, all) => [...ear.heard(HUM.subarray(from, all[i + 1]))]);
  expect(parts).toEqual([...whole]);
  expect([...microFeatures(Float32Array.from(HUM, (value) => value / 32_768))]).toEqual(
    Array.from(whole, (value) => value * UNIT),
  );
  expect(new MicroFrontEnd().heard(new Int16Array(480)).every((value) => value === 0)).toBe(true);
});

const tone = (step: number, rate: number, seconds: number): Buffer =>
  wavFile(
    Array.from({ length: rate * seconds }, (_, i) => Math.sin(step * i) / 2),
    { rate },
  );

function sounds(name: string, count: number, rate = 16_000): string {
  const root = path.join(folder(), name);
  for (const [at, label] of ['no', 'yes'].entries()) {
    mkdirSync(path.join(root, label), { recursive: true });
    for (let i = 0; i < count; i++)
      writeFileSync(path.join(root, label, `${i}.wav`), tone(0.1 + at + i / 50, rate, 0.1));
  }
  return root;
}

it('reads WAV files as features, with changed copies of the sounds of train alone', async () => {
  const [train, validation] = [sounds('train', 3), sounds('validation', 2)];
  const config = { type: 'micro-features', train, validation, seconds: 0.1, normalize: 'none' } as const;
  const plain = await loadDataset(config);
  const size = framesIn(1600) * CHANNELS;
  expect(plain.train).toMatchObject({ sampleShape: [8, 40], count: 6, classNames: ['no', 'yes'] });
  const first = microFeatures(
    Float32Array.from({ length: 1600 }, (_, i) => Math.round((32_767 * Math.sin(0.1 * i)) / 2) / 32_768),
  );
  const at = plain.train.ids.indexOf(0);
  expect([...plain.train.samples.subarray(at * size, (at + 1) * size)]).toEqual([...first]);

  const copies = 2;
  const copied = await loadDataset({ ...config, copies });
  expect(copied.validation.count).toBe(4);
  expect(copied.train.count).toBe(18);
  const again = await loadDataset({ ...config, copies });
  expect(again.train.samples).toEqual(copied.train.samples);
  const sampleOf = (id: number): string => {
    const row = copied.train.ids.indexOf(id);
    return `${copied.train.targets[row]!}: ${copied.train.samples.subarray(row * size, (row + 1) * size).join()}`;
  };
  expect(sampleOf(0)).toBe(`0: ${first.join()}`);
  const own = [0, 1, 2].map(sampleOf);
  expect(new Set(own).size).toBe(3);
  expect(own.every((text) => text.startsWith('0: '))).toBe(true);
  expect(sampleOf(9).startsWith('1: ')).toBe(true);
  const mixed = await loadDataset({ ...config, copies, background: path.join(validation, 'no') });
  expect(mixed.train.count).toBe(18);
  expect(mixed.train.samples).not.toEqual(copied.train.samples);
});

it('says what it did to sounds of another rate and length, and refuses copies beside a split that is held out', async () => {
  const train = sounds('slow', 4, 8000);
  const config = { type: 'micro-features', train, validation: 2, seconds: 0.05 } as const;
  const { warnings } = await loadDataset(config);
  expect(warnings).toContain(`${train}: 8 of 8 sounds have another rate than 16000: resampled`);
  expect(warnings).toContain(`${train}: 8 of 8 sounds are longer than 0.05 s: their middle is used`);
  await expect(loadDataset({ ...config, background: train })).rejects.toThrow(
    'dataset.background: copies get it, and there are none',
  );
  await expect(loadDataset({ ...config, copies: 1 })).rejects.toThrow(
    'dataset.copies: copies of a sound of train would be in validation, which is held out of train',
  );
  await expect(loadDataset({ ...config, seconds: 0.02 })).rejects.toThrow(
    'dataset.seconds: 0.02 s are shorter than a frame of the front end, 0.03 s',
  );
});
