import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { readOnnx } from '../../src/files/onnx-file.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { externalOnnx } from '../support/external.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const model = (): string => path.join(folder(), 'm.onnx');

const writeModel = (place: Record<string, string>): Promise<void> => writeFile(model(), externalOnnx(place));

const valuesOf = async (): Promise<number[]> => {
  const { raw } = decodeModel(await readOnnx(model()), 'm.onnx').graph.initializers[0]!;
  return [...new Float32Array(raw.slice().buffer)];
};

describe('an ONNX model whose weights are in a file beside it', () => {
  beforeEach(() => writeFile(path.join(folder(), 'm.onnx.data'), bytesOf(Float32Array.of(9, 1.5, -2, 9))));

  it('is read as one file, at the place that the model names', async () => {
    await writeModel({ location: 'm.onnx.data', offset: '4', length: '8' });
    expect(await valuesOf()).toEqual([1.5, -2]);
  });

  it('is refused when that place is not in the file', async () => {
    await writeModel({ location: 'm.onnx.data', offset: '12', length: '8' });
    await expect(valuesOf()).rejects.toThrow(/m\.onnx: .*tensor w is not in m\.onnx\.data, which has 16 bytes/);
  });

  it('names a file that is missing, and reads none outside its folder', async () => {
    await writeModel({ location: 'gone.data' });
    await expect(valuesOf()).rejects.toThrow('its weights are in another file, gone.data, which is not there');
    await writeModel({ location: '../secret' });
    await expect(valuesOf()).rejects.toThrow('its weights are in ../secret, outside the folder of the model');
  });
});
