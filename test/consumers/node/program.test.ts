import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { OF_FILES, withPicture } from '../../../src/data/pictures/picture.ts';
import { rawPixels, scaledPixels } from '../../../src/data/pictures/pixels.ts';
import { clip } from '../../../src/data/sounds/clip.ts';
import { parseWav } from '../../../src/data/sounds/wav.ts';
import { wavFile } from '../../support/sound.ts';
import { ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { nodeSample } from '../../../src/consumers/node/program.ts';

it.each([
  ['classes', 'numbers'],
  ['classes', 'text'],
  ['numbers', 'columns'],
  ['tags', 'tags'],
] as const)(
  'a program for Node turns the telemetry of ONNX Runtime off before it loads it: %s, %s',
  async (form, kind) => {
    const files = await nodeSample(form, kind);
    const [text] = Object.entries(files).flatMap(([file, one]) => (file.endsWith('.mjs') ? [one] : []));
    const [off, load] = ["process.env.ORT_DISABLE_TELEMETRY ??= '1';", "import('onnxruntime-node')"].map((line) => text!.indexOf(line)); // prettier-ignore
    expect(off).toBeGreaterThan(0);
    expect(load).toBeGreaterThan(off!);
    expect(text).not.toMatch(/from 'onnxruntime-node'/);
  },
);

const folder = temporaryFolder();

it('a program for Node says what it takes where it is given a picture, or JSON of something else', async () => {
  const text = (await nodeSample('classes', 'numbers'))['classify.mjs']!;
  const reads = /\/\*\* Samples of a file[^]*?\n\}\n/.exec(text)![0];
  const script = `import { readFileSync } from 'node:fs';\n${reads}console.log(samplesIn(process.argv[2]).length);\n`;
  const ask = (name: string, content: string) => {
    writeFileSync(path.join(folder(), 'a.mjs'), script);
    writeFileSync(path.join(folder(), name), content);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['a.mjs', name], {
      cwd: folder(),
      encoding: 'utf8',
    });
    return [status, stdout, stderr];
  };
  const takes =
    'expected a JSON file of samples, [{"raw": [numbers before normalization, row by row, channels last]}, ...]';
  expect(ask('photo.png', '\x89PNG')).toEqual([1, '', `photo.png: ${takes}\n`]);
  expect(ask('one.json', '{"raw": [1]}')).toEqual([1, '', `one.json: ${takes}\n`]);
  expect(ask('numbers.json', '[1, null, 3]')).toEqual([1, '', `numbers.json: ${takes}\n`]);
  expect(ask('samples.json', '[{"raw": [1]}]')).toEqual([0, '1\n', '']);
});

it.each([
  ['classes', 3, 'large.jpg'],
  ['classes', 1, 'small.png'],
  ['boxes', 3, 'large.jpg'],
] as const)(
  'a program for Node prepares a picture file as training does: %s, %i channels, %s',
  async (form, channels, name) => {
    const [height, width] = [24, 20];
    const files = await nodeSample(form, 'numbers', { isOneOutput: form === 'classes', file: 'picture' });
    const program = files[form === 'boxes' ? 'detect.mjs' : 'classify.mjs']!;
    const reads = /\/\*\* A picture file as a sample[^]*?\n\}\n/.exec(program)![0];
    const script = `const input = { shape: [1, ${height}, ${width}, ${channels}] };\n${reads}console.log(JSON.stringify(await pictureIn(process.argv[2])));\n`;
    writeFileSync(path.join(folder(), 'a.mjs'), script);
    writeFileSync(path.join(folder(), 'resize.js'), files['resize.js']!);
    writeFileSync(path.join(folder(), 'package.json'), files['package.json']!);
    const ask = () => spawnSync(process.execPath, ['a.mjs', name], { cwd: folder(), encoding: 'utf8' });
    const place = path.join(folder(), name);
    const noise = Uint8Array.from({ length: 90 * 70 * 4 }, (_, i) => (i * i * 31 + 7 * i) % 251);
    const whole = sharp(noise, { raw: { width: 90, height: 70, channels: 4 } });
    await (name === 'small.png' ? whole.resize(15, 12) : whole.removeAlpha()).toFile(place);
    expect(ask()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm install sharp') as string });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder(), 'node_modules'));
    const { raw, ...size } = JSON.parse(ask().stdout) as { raw: number[]; height?: number; width?: number };
    const expected = await withPicture(place, OF_FILES, (image, found) =>
      form === 'boxes' ? rawPixels(image, found, channels) : scaledPixels(image, found, [height, width], channels),
    );
    expect(raw).toEqual([...expected.data]);
    expect(size).toEqual(form === 'boxes' ? { height: 70, width: 90 } : {});
  },
);

it('a program for Node reads a sound file as training does: another rate, longer and shorter', async () => {
  const files = await nodeSample('classes', 'numbers', { file: 'sound' });
  expect(files['package.json']).not.toContain('sharp');
  const reads = /\/\*\* A WAV file as a sample[^]*?\n\}\n/.exec(files['classify.mjs']!)![0];
  const head = `import { readFileSync } from 'node:fs';\nconst kit = import.meta.url;\nconst input = { shape: [1, 400] };\n`;
  writeFileSync(
    path.join(folder(), 'a.mjs'),
    `${head}${reads}console.log(JSON.stringify([...(await soundIn(process.argv[2])).raw]));\n`,
  );
  for (const name of ['riff.js', 'polyphase.js']) writeFileSync(path.join(folder(), name), files[name]!);
  writeFileSync(path.join(folder(), 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(folder(), 'preprocessing.json'), '{ "sound": { "rate": 8000 } }');
  const ask = () => spawnSync(process.execPath, ['a.mjs', 'clip.wav'], { cwd: folder(), encoding: 'utf8' });
  for (const [rate, count] of [[8000, 1001], [8000, 37], [22050, 3001], [16000, 41]] as const) {
    const values = Array.from({ length: count }, (_, t) => 0.8 * Math.sin(t * t * 0.001));
    const bytes = wavFile(values, { rate });
    writeFileSync(path.join(folder(), 'clip.wav'), bytes);
    const expected = clip(parseWav(bytes, 'clip.wav'), { rate: 8000, seconds: 0.05 });
    expect([rate, count, JSON.parse(ask().stdout)]).toEqual([rate, count, [...expected]]);
  }
  writeFileSync(path.join(folder(), 'clip.wav'), 'fLaC and more than that');
  expect(ask()).toMatchObject({ status: 1, stderr: 'clip.wav: a FLAC file: expected RIFF and WAVE at its start\n' });
}); // prettier-ignore
