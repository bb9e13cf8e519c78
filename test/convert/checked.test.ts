// Needs the feature keras.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import '../../src/features.ts';
import { parseNpy } from '../../src/base/numpy.ts';
import { RandomStream } from '../../src/base/random.ts';
import { openIn } from '../../src/convert/compare.ts';
import { convertChecked } from '../../src/convert/checked.ts';
import { readSource } from '../../src/convert/convert.ts';
import { sourceFile } from '../../src/convert/read.ts';
import { rowsOfArray, splitRows } from '../../src/convert/rows.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { rowsRunner } from '../../src/ship/parity/tflite-rows.ts';
import { temporaryFolder } from '../support/folder.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';
import { pictureTeacher } from '../support/onnx.ts';
import { ort } from '../support/ort-module.ts';
import { KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';

const folder = temporaryFolder();
const tflite = async (bytes: Uint8Array) => rowsRunner(await openTflite(bytes));
const FILES = {
  'pictures.onnx': { bytes: pictureTeacher(), sample: [4, 4, 2] },
  'net.keras': { bytes: packedKeras(KERAS_PARTS), sample: [6, 6, 4] },
};

it.each([
  ['pictures.onnx', 'tflite', 'fp16', 3],
  ['pictures.onnx', 'onnx', 'int8', 8],
  ['pictures.onnx', 'tflite', 'int8', 80],
  ['net.keras', 'tflite', 'int8', 10],
] as const)(
  'makes of %s the %s file in %s of the command line, as like its source',
  async (name, to, precision, count) => {
    const { bytes, sample } = FILES[name];
    const [from, out, data] = [name, `out.${to}`, 'x.npy'].map((file) => path.join(folder(), file));
    const shape = [count, ...sample];
    const npy = npyBytes(
      shape,
      numbers(
        shape.reduce((a, b) => a * b, 1),
        'samples',
      ),
    );
    await writeFile(from!, bytes);
    await writeFile(data!, npy);
    const { outputs, skipped } = await convertFile({
      from: from!,
      out: out!,
      format: to,
      precision,
      data,
      accept: true,
    });
    const source = await readSource(bytes, { name, runtime: ort });
    const isCalibrated = precision === 'int8';
    const rows = rowsOfArray(parseNpy(npy, 'x.npy'), source.graph.inputs, 'x.npy');
    const split = splitRows(source.graph, rows, { isCalibrated, most: 512, random: new RandomStream('calibration') });
    const runtimes = { onnx: ort, tflite };
    const reference = await openIn(runtimes, sourceFile(bytes, source.model, name), name);
    const made = await convertChecked(source, reference, { to, precision, name, runtime: ort }, split, runtimes);
    reference.dispose();
    expect(Buffer.compare([...made.files.values()][0]!, await readFile(out!))).toBe(0);
    expect(made.outputs).toEqual(outputs);
    expect(made.notes).toHaveLength(skipped.length);
    expect(made).toMatchObject({ isHeldOut: true, beyond: [] });
  },
);
