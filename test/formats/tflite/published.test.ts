import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';
import { openTflite } from '../../../src/runtime/litert.ts';

const folder = path.dirname(createRequire(import.meta.url).resolve('@mediapipe/face_detection/package.json'));
const files = readdirSync(folder).filter((file) => file.endsWith('.tflite'));
const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(path.join(folder, file)));

describe('files that others have published', () => {
  it('are here', () => expect(files).toHaveLength(3));

  it.each(files)('%s is read, and written again to the same model', (file) => {
    const model = readTflite(bytesOf(file));
    const written = writeTflite(model);
    expect(readTflite(written)).toEqual(model);
    expect(Buffer.compare(writeTflite(readTflite(written)), written)).toBe(0);
  });

  it('are described, with the precision that weights are stored in', () => {
    const { layers, inputs, outputs } = describeTflite(bytesOf('face_detection_short_range.tflite'));
    expect(inputs).toMatchObject([{ dtype: 'float32', shape: [1, 128, 128, 3] }]);
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [1, 896, 16],
      [1, 896, 1],
    ]);
    expect(layers.find(({ op }) => op === 'CONV_2D')).toMatchObject({ precision: 'float32 × float16' });
  });

  it('give the same after they were rewritten', async () => {
    const bytes = bytesOf('face_detection_short_range.tflite');
    const x = Float32Array.from({ length: 128 * 128 * 3 }, (_, i) => Math.sin(i));
    const results = [];
    for (const file of [bytes, writeTflite(readTflite(bytes))]) {
      const session = await openTflite(file);
      results.push(await session.run({ [session.inputs[0]!.name]: x }));
      session.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  });
});
