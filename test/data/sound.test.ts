import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { createAugmenter } from '../../src/data/augment/augment.ts';
import { clip } from '../../src/data/sounds/clip.ts';
import { fingerprint } from '../../src/data/dataset.ts';
import { loadDataset } from '../../src/data/load.ts';
import { resampled } from '../../src/data/sounds/resample.ts';
import { parseWav } from '../../src/data/sounds/wav.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wavFile } from '../support/sound.ts';

const folder = temporaryFolder();
const ramp = [0, 0.25, -0.5, 0.75, -1];

describe('a WAV file', () => {
  it.each([
    { tag: 1, bits: 8, within: 0.01 },
    { tag: 1, bits: 16, within: 1e-4 },
    { tag: 1, bits: 24, within: 1e-6 },
    { tag: 1, bits: 32, within: 1e-6 },
    { tag: 3, bits: 32, within: 0 },
    { tag: 3, bits: 64, within: 0 },
  ])('of encoding $tag and $bits bits is read', ({ tag, bits, within }) => {
    const { rate, values } = parseWav(wavFile(ramp, { tag, bits, rate: 8000 }), 'x.wav');
    expect(rate).toBe(8000);
    expect(values).toHaveLength(5);
    ramp.forEach((value, i) => expect(Math.abs(values[i]! - value)).toBeLessThanOrEqual(within));
  });

  it('of two channels is their mean', () => {
    const { values } = parseWav(wavFile([0.5, 0.25, -0.5, 0.5], { channels: 2, tag: 3, bits: 32 }), 'x.wav');
    expect([...values]).toEqual([0.375, 0]);
  });

  it('with other chunks, an extensible format or an open end is read', () => {
    const plain = wavFile(ramp);
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    expect(parseWav(Buffer.concat([plain.subarray(0, 36), list, plain.subarray(36)]), 'x.wav').values).toHaveLength(5);
    const open = Buffer.from(plain);
    open.writeUInt32LE(0xffffffff, 40);
    expect(parseWav(open, 'x.wav').values).toHaveLength(5);
  });

  it.each([
    ['an MP3 file', Buffer.from('ID3 something else'), 'x.wav: an MP3 file: expected RIFF and WAVE at its start'],
    ['three channels', wavFile([0, 0, 0], { channels: 3 }), 'x.wav: 3 channels, expected one or two'],
    ['A-law', wavFile([0], { tag: 6 }), 'x.wav: its encoding is A-law, expected PCM or floats'],
    ['12 bits', wavFile([0], { bits: 48 }), 'x.wav: 48 bits a value, expected 8, 16, 24 or 32'],
    ['nothing', wavFile([]), 'x.wav: no sound in it'],
    [
      'a part of itself',
      wavFile(ramp).subarray(0, 50),
      'x.wav: truncated: its header promises 10 bytes of sound, received 6',
    ],
    ['parts', Buffer.concat([wavFile(ramp), wavFile(ramp).subarray(36)]), 'x.wav: its sound is in several parts'],
    ['no data', wavFile(ramp).subarray(0, 36), 'x.wav: not a valid WAV file: it has no data'],
    [
      'values apart from each other',
      Buffer.from(wavFile(ramp, { bits: 24 })).fill(4, 32, 33),
      'x.wav: 4 bytes for the value of a moment, expected 3: 1 of 24 bits',
    ],
    [
      'infinity',
      wavFile([0, Infinity], { tag: 3, bits: 32 }),
      'x.wav: not a valid WAV file: value 1 of its sound is Infinity',
    ],
  ])('that is %s is refused', (_, bytes, message) => {
    expect(() => parseWav(bytes, 'x.wav')).toThrow(message);
  });
});

it('another rate keeps a slow tone and takes away what the new rate cannot hold', () => {
  const tone = (hertz: number): Float32Array =>
    Float32Array.from({ length: 4000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / 16_000));
  const slow = resampled({ rate: 16_000, values: tone(440) }, 8000);
  expect(slow).toHaveLength(2000);
  for (let i = 100; i < 1900; i++)
    expect(Math.abs(slow[i]! - Math.sin((2 * Math.PI * 440 * i) / 8000))).toBeLessThan(0.01);
  const fast = resampled({ rate: 16_000, values: tone(6000) }, 8000);
  expect(Math.max(...fast.subarray(100, 1900))).toBeLessThan(0.01);
});

it('another rate has the values of SciPy, from the first to the last', () => {
  const values = Float32Array.from({ length: 60 }, (_, i) => ((i * 7) % 11) - 5);
  // What scipy.signal.resample_poly(values, up, down) begins with, has in its middle, and ends with.
  const [faster, slower] = [
    [-5.003031, 0.285012, 1.369905, -2.001212, -4.002425, 0.617361, 3.729146, -1.000606, -0.440496, 5.003031, 3.499651, -0.607748], // prettier-ignore
    [-2.257378, -0.431507, 3.366829, -1.016596, -1.89208, 0.845363, -3.100115, 0, -0.23078, -2.988415, 1.648089, 2.407109], // prettier-ignore
  ];
  for (const [from, to, expected] of [
    [2, 3, faster],
    [3, 2, slower],
  ] as const) {
    const made = [...resampled({ rate: from, values }, to)];
    expect(made).toHaveLength((60 * to) / from);
    const middle = made.length / 2;
    const seen = [...made.slice(0, 4), ...made.slice(middle, middle + 4), ...made.slice(-4)];
    expect(seen).toEqual(expected.map((value) => expect.closeTo(value, 5) as number));
  }
});

it('a clip is the middle of a longer sound, and a shorter one between silence', () => {
  const values = Float32Array.of(1, 2, 3, 4, 5);
  expect([...clip({ rate: 1, values }, { rate: 1, seconds: 3 })]).toEqual([2, 3, 4]);
  expect([...clip({ rate: 1, values }, { rate: 1, seconds: 8 })]).toEqual([0, 1, 2, 3, 4, 5, 0, 0]);
});

it('a clip of another rate has the values that all of the sound has in its middle', () => {
  const values = Float32Array.from({ length: 999 }, (_, i) => Math.sin(i * i));
  for (const [from, rate] of [
    [44_100, 16_000],
    [8000, 16_000],
    [11_025, 16_000],
    [48_000, 44_100],
  ] as const)
    // prettier-ignore
    for (const length of [1, 50, 51, 300]) {
      const all = resampled({ rate: from, values }, rate);
      const start = (all.length - length) >> 1;
      expect(clip({ rate: from, values }, { rate, seconds: length / rate })).toEqual(all.slice(start, start + length));
    }
});

it('a clip of a long sound with a false rate takes the time of a clip, and all of it is refused by its size', () => {
  const sound = { where: 'false.wav', rate: 40, values: new Float32Array(2 ** 24).fill(1) };
  const values = clip(sound, { rate: 16_000, seconds: 1 });
  expect(values).toHaveLength(16_000);
  expect(values[8000]).toBeCloseTo(1, 2);
  const longer = { ...sound, values: new Float32Array(2 ** 26) };
  expect(() => resampled(longer, 16_000)).toThrow(/false\.wav: its values at a rate of 16000 instead of 40 /);
});

it('a folder of WAV files is read, and the file that cannot be is named', async () => {
  const root = path.join(folder(), 'sounds');
  for (const [name, sign] of [
    ['high', 1],
    ['low', -1],
  ] as const) {
    mkdirSync(path.join(root, name), { recursive: true });
    for (let i = 0; i < 5; i++)
      writeFileSync(path.join(root, name, `${i}.wav`), wavFile([0.5 * sign, i / 8], { tag: 3, bits: 32, rate: 10 }));
  }
  const config = { type: 'audio-folder', train: root, validation: 2, rate: 10, seconds: 0.3 } as const;
  const { train, validation, warnings } = await loadDataset(config);
  expect(train).toMatchObject({ sampleShape: [3, 1], classNames: ['high', 'low'], count: 8 });
  expect(train.normalization).toEqual({ scale: 1, mean: [0], std: [1] });
  const at = train.ids.indexOf(7);
  const rows = at === -1 ? validation : train;
  const row = rows.ids.indexOf(7);
  expect([...rows.samples.subarray(3 * row, 3 * row + 3)]).toEqual([-0.5, 0.25, 0]);
  expect(warnings.join()).not.toMatch(/resampled|longer/);
  const other = await loadDataset({ ...config, rate: 5, seconds: 0.2 });
  expect(other.warnings).toContain(`${root}: 10 of 10 sounds have another rate than 5: resampled`);
  writeFileSync(path.join(root, 'low', '3.wav'), 'no');
  await expect(loadDataset(config)).rejects.toThrow(`${path.join(root, 'low', '3.wav')}: no WAV file`);
});

describe('augmentation of sounds', () => {
  const normalization = { scale: 1, mean: [0], std: [1] };
  const made = (step: object, shape: readonly number[] = [400, 1]) =>
    createAugmenter([step as never], shape, normalization)!;
  const sine = (): Float32Array => Float32Array.from({ length: 400 }, (_, i) => Math.sin(i));

  it('moves, changes the loudness, and adds noise of the ratio that was asked for', () => {
    const random = new RandomStream('test');
    const moved = Float32Array.from({ length: 400 }, (_, i) => i + 1);
    made({ timeShift: 0.1 })(moved, random);
    const by = moved.findIndex((value) => value > 0) - Math.max(0, moved[0]! - 1);
    expect(Math.abs(by)).toBeLessThanOrEqual(40);
    const kept = moved.filter((value) => value > 0);
    expect(kept).toHaveLength(400 - Math.abs(by));
    kept.forEach((value, i) => expect(value - kept[0]!).toBe(i));

    const louder = sine();
    made({ gain: 6 })(louder, random);
    const factor = louder[1]! / Math.sin(1);
    expect(factor).not.toBe(1);
    louder.forEach((value, i) => expect(value).toBeCloseTo(factor * Math.sin(i), 5));
    expect(Math.abs(20 * Math.log10(factor))).toBeLessThanOrEqual(6);

    const noisy = sine();
    made({ noise: [10, 10] })(noisy, random);
    const power = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);
    const ratio = power([...sine()]) / power([...noisy].map((value, i) => value - Math.sin(i)));
    expect(Math.abs(10 * Math.log10(ratio) - 10)).toBeLessThan(1);
  });

  it('adds a stretch of a recording at the ratio that was asked for, the same for the same chance', () => {
    const long = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * i));
    const values = Float32Array.from([...long, 0.5, -0.5, 0.25]);
    const backgrounds = { street: { values, starts: [0, 1000, 1003] } };
    const step = { background: { folder: 'street', ratio: [20, 20], probability: 0.5 } } as never;
    const apply = createAugmenter([step], [400, 1], normalization, [400, 1], backgrounds)!;
    const power = (of: readonly number[]): number => of.reduce((sum, value) => sum + value ** 2, 0);
    const found = Array.from({ length: 40 }, (_, i) => {
      const random = new RandomStream('background', i);
      const sound = sine();
      apply(sound, random);
      const again = sine();
      apply(again, new RandomStream('background', i));
      expect(again).toEqual(sound);
      return [...sound].map((value, at) => value - Math.sin(at));
    }).filter((noise) => power(noise) > 1e-3);
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(30);
    for (const noise of found)
      expect(Math.abs(10 * Math.log10(power([...sine()]) / power(noise)) - 20)).toBeLessThan(0.2);
    // Both recordings are heard, the short one over and over.
    expect(new Set(found.map((noise) => Math.abs(noise[0]! - noise[3]!) < 1e-4)).size).toBe(2);
    const silent = new Float32Array(400);
    apply(silent, new RandomStream('background', 1));
    expect(silent).toEqual(new Float32Array(400));
  });

  it('reads the folders of noise that the steps name, at the rate of the data', async () => {
    const root = path.join(folder(), 'noisy');
    for (const name of ['data/yes', 'data/no', 'noise']) mkdirSync(path.join(root, name), { recursive: true });
    for (const name of ['yes', 'no'])
      for (const i of [1, 2, 3]) writeFileSync(path.join(root, 'data', name, `${i}.wav`), wavFile(ramp, { rate: 10 }));
    writeFileSync(path.join(root, 'noise/a.wav'), wavFile([0.5, 0.5, 0.5, 0.5], { rate: 20, tag: 3, bits: 32 }));
    writeFileSync(path.join(root, 'noise/b.wav'), wavFile([0.25, 0.25, 0.25], { rate: 10, tag: 3, bits: 32 }));
    const noise = path.join(root, 'noise');
    const config = {
      type: 'audio-folder',
      train: path.join(root, 'data'),
      validation: 2,
      rate: 10,
      seconds: 0.3,
    } as const;
    const noisy = { ...config, augment: [{ background: { folder: noise } }] } as const;
    const { train } = await loadDataset(noisy);
    expect(train.backgrounds?.[noise]?.starts).toEqual([0, 2, 5]);
    expect([...train.backgrounds![noise]!.values.subarray(2)]).toEqual([0.25, 0.25, 0.25]);
    // What a teacher is asked about depends on the noise.
    expect(fingerprint(train)).not.toBe(fingerprint((await loadDataset(config)).train));
  });

  it('is refused for pictures, and that of pictures for sounds', () => {
    expect(() => made({ flip: 'horizontal' })).toThrow(
      'augment: flip changes images, but a sample is a sound or a sequence [400, 1]',
    );
    expect(() => made({ gain: 3 }, [4, 4, 1])).toThrow('augment: gain changes sounds, but a sample is [4, 4, 1]');
  });
});
