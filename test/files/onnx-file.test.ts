import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { readOnnx } from '../../src/files/onnx-file.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { externalOnnx } from '../support/external.ts';
import { temporaryFolder } from '../support/folder.ts';
import { Writer } from '../support/wire.ts';

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

  it('is refused before it is read where the model itself, or a tensor, is more than a message may have', async () => {
    await truncate(path.join(folder(), 'm.onnx.data'), 3 * 2 ** 30);
    await writeFile(model(), externalOnnx({ location: 'm.onnx.data' }, 3 * 2 ** 28));
    await expect(valuesOf()).rejects.toThrow(/m\.onnx: its tensor w: takes 3\.2 GB, expected at most 2\.1 GB/);
    await truncate(model(), 3 * 2 ** 30);
    await expect(valuesOf()).rejects.toThrow(/m\.onnx: takes 3\.2 GB, expected at most 2\.1 GB/);
  });

  it.each([2 ** 31, 2 ** 32])('of %d bytes is not written', async (size) => {
    await writeModel({ location: 'm.onnx.data', length: '8' });
    const { graph, ...model } = decodeModel(await readOnnx(path.join(folder(), 'm.onnx')), 'm.onnx');
    const initializers = [{ ...graph.initializers[0]!, dims: [size / 4], raw: new Uint8Array(size) }];
    expect(() => encodeModel({ ...model, graph: { ...graph, initializers } })).toThrow(
      /the ONNX file would take \d\.\d GB, expected at most 2\.1 GB/,
    );
  });

  it('names a file that is missing, and reads none outside its folder', async () => {
    await writeModel({ location: 'gone.data' });
    await expect(valuesOf()).rejects.toThrow('its weights are in another file, gone.data, which is not there');
    await writeModel({ location: '../secret' });
    await expect(valuesOf()).rejects.toThrow('its weights are in ../secret, outside the folder of the model');
    await writeModel({ location: '/etc/hostname' });
    await expect(valuesOf()).rejects.toThrow('its weights are in /etc/hostname, outside the folder of the model');
  });

  it('is refused where a function has values in another file, which ONNX Runtime looks for in the working directory', async () => {
    const inFunction = new Writer().message(25, (made) =>
      made.string(1, 'f').message(7, (node) =>
        node.message(5, (attr) =>
          attr.string(1, 'value').message(5, (tensor) =>
            tensor
              .packedInts(1, [8])
              .int(2, 2)
              .message(13, (entry) => entry.string(1, 'location').string(2, 'm.onnx.data'))
              .int(14, 1),
          ),
        ),
      ),
    );
    await writeFile(
      model(),
      Buffer.concat([externalOnnx({ location: 'm.onnx.data', length: '8' }), inFunction.finish()]),
    );
    await expect(valuesOf()).rejects.toThrow('the function f holds values in another file, which is not supported');
  });

  it('reads no file elsewhere by a symbolic link, also by one to a folder', async () => {
    await mkdir(path.join(folder(), 'sent'));
    const sent = path.join(folder(), 'sent/m.onnx');
    for (const location of ['w.data', 'far/m.onnx.data']) {
      await writeFile(sent, externalOnnx({ location, length: '8' }));
      await symlink(path.join(folder(), location === 'w.data' ? 'm.onnx.data' : '.'), path.join(folder(), 'sent', location.split('/')[0]!)); // prettier-ignore
      await expect(readOnnx(sent)).rejects.toThrow(`its weights are in ${location}, outside the folder of the model`);
    }
  });

  it('is read where all of its names are links into one folder, as in the cache of Hugging Face', async () => {
    await writeModel({ location: 'm.onnx.data', length: '8' });
    for (const name of ['blobs', 'snapshot']) await mkdir(path.join(folder(), name));
    for (const [blob, name] of ['m.onnx', 'm.onnx.data'].entries()) {
      await rename(path.join(folder(), name), path.join(folder(), `blobs/${blob}`));
      await symlink(`../blobs/${blob}`, path.join(folder(), 'snapshot', name));
    }
    const bytes = await readOnnx(path.join(folder(), 'snapshot/m.onnx'));
    expect(decodeModel(bytes, 'm.onnx').graph.initializers[0]!.raw).toHaveLength(8);
  });
});
