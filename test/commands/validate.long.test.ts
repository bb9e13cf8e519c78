import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';

const folder = temporaryFolder();

describe('limbeck validate --data', () => {
  const COUNT = 2100;

  beforeEach(async () => {
    process.env['LIMBECK_CACHE'] = 'off';
    const encoded = await Promise.all(
      [40, 200].map((red) => sharp({ create: { width: 8, height: 8, channels: 3, background: { r: red, g: 9, b: 7 } } }).png().toBuffer()),
    ); // prettier-ignore
    for (const name of ['a', 'b']) await mkdir(path.join(folder(), 'pictures', name), { recursive: true });
    for (let i = 0; i < COUNT; i++) {
      const file = path.join(folder(), 'pictures', 'ab'[i % 2]!, `${String(i).padStart(4, '0')}.png`);
      await writeFile(file, encoded[i % 2]!);
    }
    const recipe = { dataset: { type: 'image-folder', train: 'pictures' }, student: { model: 'mlp' } };
    await writeFile(path.join(folder(), 'r.yaml'), JSON.stringify({ ...recipe, distill: { epochs: 1 } }));
  });

  it('decodes a sample of many pictures and says of how many; --all decodes all', async () => {
    const sampled = await inProcess(folder(), 'validate', '--data', 'r.yaml');
    expect(sampled.code).toBe(0);
    expect(sampled.stdout).not.toContain('samples have the values');
    expect(sampled.stdout).toMatch(/: right: 1890 train, 210 validation, 0 test, 2 classes\n/);
    expect(sampled.stdout).toMatch(
      /\n {2}decoded 1050 of 2100 pictures, and read the headers of the others; --all decodes all, and compares the splits\n/,
    );
    const whole = await inProcess(folder(), 'validate', '--data', '--all', 'r.yaml');
    expect(whole.code).toBe(0);
    expect(whole.stdout).toContain('validation: 210 of 210 samples have');
    expect(whole.stdout).not.toContain('decoded 1050');
  });

  it('names a damaged file in the sample, and of all with --all', async () => {
    const file = path.join(folder(), 'pictures', 'a', '0002.png');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -20));
    expect(await inProcess(folder(), 'validate', '--data', 'r.yaml')).toMatchObject({ code: 0 });
    const whole = await inProcess(folder(), 'validate', '--all', 'r.yaml');
    expect(whole.code).toBe(1);
    expect(whole.stderr).toContain('0002.png: cannot decode the image');
    await writeFile(file, 'no picture');
    const headers = await inProcess(folder(), 'validate', '--data', 'r.yaml');
    expect(headers.code).toBe(1);
    expect(headers.stderr).toContain('0002.png: cannot decode the image');
  });

  it('decodes all pictures where the sample is too small to reduce the vectors of a teacher', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 8, 8, 3] });
    b.output('vectors', b.op('Reshape', [x], { shape: ['batch', 192] }));
    await writeFile(path.join(folder(), 't.onnx'), encodeModel(lowerToOnnx(b.build())));
    const recipe = {
      dataset: { type: 'image-folder', task: 'embedding', train: 'pictures' },
      teacher: { onnx: 't.onnx', normalize: { mean: 0, std: 1 }, confirmed: true },
      student: { model: 'mlp' },
      distill: { epochs: 1 },
    };
    await writeFile(path.join(folder(), 'v.yaml'), JSON.stringify(recipe));
    const { code, stdout, stderr } = await inProcess(folder(), 'validate', '--data', 'v.yaml');
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('dimensions')]);
    expect(stdout).toMatch(/right: 1890 train, 210 validation/);
  });
});
