import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chanceOf, PLAIN, viewOf } from '../../src/data/batches/batches.ts';
import { decodedPicture } from '../../src/data/pictures/decode.ts';
import { loadDataset } from '../../src/data/load.ts';
import { originalsOf } from '../../src/data/pictures/originals.ts';
import { resized } from '../../src/data/pictures/resize.ts';
import { plainLogits } from '../../src/distill/preflight/preflight.ts';
import { onnxTeacher } from '../../src/distill/teachers/onnx-teacher.ts';
import { runPython } from './python.ts';

interface Written {
  readonly files: readonly string[];
  readonly entries: readonly {
    readonly picture: string;
    readonly size: [number, number, number];
    /** File of what Pillow makes of it in two calls, across and then down. */
    readonly pixels: string;
    /** The order of passes that gives what Pillow makes of it in one call. */
    readonly atOnce: 'across' | 'down' | 'neither';
  }[];
  readonly mean: number[];
  readonly std: number[];
}

let folder = '';
let written: Written;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  written = runPython('zoo_size.py', folder) as Written;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (name: string): Buffer => readFileSync(path.join(folder, name));
const floats = (name: string): Float32Array => {
  const { buffer, byteOffset, length } = bytes(name);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
};

it('pictures at another size are those of Pillow, bit for bit; of JPEG as far as the decoders agree', async () => {
  let [pictures, jpeg] = [0, 0];
  for (const { picture, size, pixels } of written.entries) {
    const ours = await decodedPicture({ where: picture, input: picture }, size);
    const theirs = bytes(pixels);
    expect(ours.length).toBe(theirs.length);
    const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
    if (picture.endsWith('.jpg')) jpeg = Math.max(jpeg, worst);
    else {
      expect([picture, size, worst]).toEqual([picture, size, 0]);
      pictures++;
    }
  }
  const orders = written.entries.map(({ atOnce }) => atOnce);
  const down = orders.filter((order) => order === 'down').length;
  console.log(
    `${pictures} pictures equal Pillow's; of JPEG the largest difference is ${jpeg}. ` +
      `In one call Pillow begins down in ${down} of ${orders.length}, which rounds other numbers.`,
  );
  expect(orders).not.toContain('neither');
  expect(jpeg).toBeLessThanOrEqual(1);
});

it('arrays at another size are those of torchvision, antialiased', () => {
  const small = floats('small.bin');
  for (const [name, to] of [['large.bin', [224, 100]], ['less.bin', [9, 12]]] as const) {
    const theirs = floats(name);
    const [own, each] = [28 * 28 * 2, theirs.length / 3];
    for (let i = 0; i < 3; i++) {
      const ours = resized(small.subarray(i * own, (i + 1) * own), [28, 28, 2], to);
      const error = ours.reduce((most, value, p) => Math.max(most, Math.abs(value - theirs[i * each + p]!)), 0);
      expect(error).toBeLessThan(2e-6);
    }
  }
}); // prettier-ignore

it("torchvision's net of 224 pixels answers to the pictures of a student of 28 as PyTorch does to the files", async () => {
  const train = path.join(folder, 'pictures');
  const { train: dataset } = await loadDataset(
    { type: 'image-folder', train, resize: [28, 28], channels: 1, validation: 2 },
    { keepOriginals: true },
  );
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const probe = { x: viewOf(dataset, rows, PLAIN), n: rows.length, original: originalsOf(dataset, rows, chanceOf(PLAIN)) };
  const teacher = await onnxTeacher(
    { name: 'teacher.onnx', bytes: bytes('teacher.onnx'), dataset, probe, session: { executionProviders: ['cpu'] } },
    {
      ...{ layout: 'auto', outputs: 'logits', intermediate: [], resize: [224, 224], channels: 3 },
      normalize: { mean: written.mean, std: written.std },
    },
  );
  const ours = await plainLogits(teacher, dataset, rows);
  const theirs = floats('logits.bin');
  const range = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let [lossless, jpeg] = [0, 0];
  rows.forEach((row) => {
    const id = dataset.ids[row]!;
    for (let c = 0; c < 2; c++) {
      const error = Math.abs(ours[row * 2 + c]! - theirs[id * 2 + c]!) / range;
      if (written.files[id]!.endsWith('.jpg')) jpeg = Math.max(jpeg, error);
      else lossless = Math.max(lossless, error);
    }
  });
  console.log(`logits beside PyTorch, largest error: ${lossless.toExponential(1)}, of JPEG files ${jpeg.toExponential(1)}`);
  expect(lossless).toBeLessThan(1e-5);
  expect(jpeg).toBeLessThan(1e-3);
}); // prettier-ignore
