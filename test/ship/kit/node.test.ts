import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../support/folder.ts';
import { nodeSample } from '../../../src/ship/kit/node.ts';

it.each([
  ['classes', 'numbers'],
  ['classes', 'text'],
  ['numbers', 'words'],
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
  expect(ask('samples.json', '[{"raw": [1]}]')).toEqual([0, '1\n', '']);
});
