import { exportTflite } from '../../../../src/formats/tflite/export.ts';
import { associatedFiles } from '../../../../src/formats/tflite/metadata/archive.ts';
import { decodeMetadata } from '../../../../src/formats/tflite/metadata/metadata.ts';
import { readTflite } from '../../../../src/formats/tflite/read.ts';
import { withPictureEnds } from '../../../../src/formats/tflite/rewrite/picture-ends.ts';
import { openTflite } from '../../../../src/runtime/litert.ts';
import { floats, sketch } from '../support.ts';

const [HEIGHT, WIDTH] = [16, 20];
const labels = ['a', 'b', 'c'];
const description = { description: 'Pictures.', hasLabels: true, files: { 'labels.txt': 'a\nb\nc\n' } };
const plain = { scale: 1, mean: [0], std: [1] };

/** Twice its pixels: a model whose answers show what it is fed. */
const doubling = (channels: number): Uint8Array =>
  exportTflite(
    sketch((g) => {
      const x = g.input('image', floats('batch', HEIGHT, WIDTH, channels));
      return g.op('Add', [x, x]);
    }),
    { description: { name: 'twice', labels } },
  ).bytes;

/** Colours of 0 … 255 that differ from pixel to pixel. */
const colours = Float32Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => (i * 7919 + (i % 3) * 101) % 256);

async function asked(bytes: Uint8Array): Promise<number[]> {
  const session = await openTflite(bytes);
  expect(session.inputs.map(({ name, shape }) => [name, shape])).toEqual([['image', [1, HEIGHT, WIDTH, 3]]]);
  const results = await session.run({ image: colours });
  session.dispose();
  return Array.from(Object.values(results)[0] as Float32Array);
}

it('feeds a grey model the luma of colours to the bit, and packs labels beside a colour input without normalization', async () => {
  const changed = withPictureEnds(
    doubling(1),
    { sampleShape: [HEIGHT, WIDTH, 1], normalization: plain, answer: 'twice' },
    description,
  );
  const luma = Array.from({ length: HEIGHT * WIDTH }, (_, i) => {
    const [r, g, b] = colours.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
  });
  expect(await asked(changed)).toEqual(luma.map((value) => 2 * value));
  expect(associatedFiles(changed)).toEqual(description.files);
  const [main] = decodeMetadata(readTflite(changed))!['subgraphMetadata'] as [Record<string, unknown>];
  expect(main['inputTensorMetadata']).toMatchObject([
    {
      name: 'image',
      content: { contentProperties: { colorSpace: 1 } },
      processUnits: [{ options: { mean: [0], std: [1] } }],
    },
  ]);
  expect(main['outputTensorMetadata']).toMatchObject([{ name: 'twice', associatedFiles: [{ type: 2 }] }]);
});

it('normalizes each channel of a colour model by numbers of its own', async () => {
  const normalization = { scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] };
  const changed = withPictureEnds(
    doubling(3),
    { sampleShape: [HEIGHT, WIDTH, 3], normalization, answer: 'twice' },
    description,
  );
  const found = await asked(changed);
  colours.forEach((value, i) => {
    const c = i % 3;
    expect(found[i]).toBeCloseTo((2 * (value / 255 - normalization.mean[c]!)) / normalization.std[c]!, 5);
  });
});
