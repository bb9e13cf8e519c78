import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { readBytes } from '../../src/base/files.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { temporaryFolder } from '../support/folder.ts';
import { writeData } from '../support/tiny.ts';

const folder = temporaryFolder();
const place = (name: string): string => path.join(folder(), name);

/** Knows the classes of `writeData` from its two features as they are: `yes` where their sum is above 0. */
function teacher(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2] });
  const dense = (of: string, values: number[], shape: number[], name: string): string => {
    const w = b.constant({ dtype: 'float32', shape }, Float32Array.from(values));
    return b.op('BatchMatMul', [of, w], { transposeA: false, transposeB: false }, name);
  };
  // |a + b| in its two halves, less a little: a sum near 0 is `no`, which small inputs always are.
  const halves = b.op('Relu', [dense(x, [1, -1, 1, -1], [2, 2], 'sum')]);
  const scores = dense(halves, [-1, 1, 1, -1], [2, 2], 'scores');
  const bias = b.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(0.05, 0));
  b.output('scores', b.op('Add', [scores, bias]));
  return encodeModel({ ...lowerToOnnx(b.build()), metadata: new Map(Object.entries(metadata)) });
}

/** The student sees values of a hundredth; `block` is what the recipe says of its teacher. */
async function recipe(block = '', classes = '[no, yes]'): Promise<string> {
  await writeData(folder());
  const dataset = `{ type: csv, train: data.csv, testFraction: 0.5, classes: ${classes}, normalize: { mean: 0, std: 100 } }`;
  await writeFile(place('r.yaml'), `name: r\ndataset: ${dataset}\n${block}\nstudent: { model: mlp }\n`);
  return place('r.yaml');
}

const evaluated = async (file: string, from = place('r.yaml')) => evaluateFile(file, await loadRunnable(from), 'test');
const OWN = 'teacher: { onnx: teacher.onnx, normalize: { mean: 0, std: 1 } }';

describe("a recipe's own teacher", () => {
  beforeEach(async () => {
    await writeFile(place('teacher.onnx'), teacher());
    await recipe(OWN);
  });

  it.each(['onnx', 'tflite'] as const)(
    'is calibrated as the recipe prepares it, and its int8 %s file says so',
    async (format) => {
      const data = place('r.yaml');
      const out = place(`int8.${format}`);
      const made = await convertFile({ from: place('teacher.onnx'), format, precision: 'int8', data, out });
      expect(made.preparation).toBe('(value * 1 - 0) / 1, as the teacher of the recipe says');
      expect(made.warnings).toEqual([
        expect.stringMatching(/calibrated on 90 samples, which are few: give 128 or more/),
      ]);
      const float = await evaluated(place('teacher.onnx'));
      expect(float.accuracy).toBeGreaterThan(0.95);
      const { accuracy, preparation, warnings } = await evaluated(out);
      expect(preparation).toBe('(value * 1 - 0) / 1, as the file says');
      expect(accuracy).toBeGreaterThan(float.accuracy! - 0.03);
      expect(warnings).toEqual([]);
      // Of a recipe that says nothing of it too.
      expect((await evaluated(out, await recipe())).accuracy).toBe(accuracy);
    },
  );

  it('is known by its content where it was copied', async () => {
    await copyFile(place('teacher.onnx'), place('copy.onnx'));
    expect((await evaluated(place('copy.onnx'))).accuracy).toBeGreaterThan(0.95);
  });

  it('keeps what is written in it, and what it answers, in another format', async () => {
    const metadata = { author: 'me', labels: '["yes","no"]' };
    await writeFile(place('teacher.onnx'), teacher(metadata));
    const out = place('fp16.onnx');
    await convertFile({ from: place('teacher.onnx'), precision: 'fp16', data: place('r.yaml'), out, accept: true });
    const written = decodeModel(await readBytes(out), out).metadata;
    expect(Object.fromEntries(written)).toEqual({
      ...metadata,
      preprocessing: '{"shape":[2],"scale":1,"mean":[0,0],"std":[1,1]}',
    });
  });
});

it('reads the classes of a file by its labels where the data set has another order', async () => {
  await writeFile(place('teacher.onnx'), teacher({ labels: '["no","yes"]' }));
  await recipe(OWN, '[yes, no]');
  expect((await evaluated(place('teacher.onnx'))).accuracy).toBeGreaterThan(0.95);
});

it('warns of a file that answers one class to every sample', async () => {
  await writeFile(place('teacher.onnx'), teacher());
  const { accuracy, preparation, warnings } = await evaluated(place('teacher.onnx'), await recipe());
  expect(accuracy).toBeLessThan(0.7);
  expect(preparation).toBe('(value * 1 - 0) / 100, as the recipe prepares its data');
  expect(warnings).toEqual([expect.stringMatching(/teacher\.onnx: answers no to 100\.0 % of 100 samples/) as string]);
  const made = { from: place('teacher.onnx'), data: place('r.yaml'), out: place('x.onnx') };
  expect((await convertFile(made)).warnings).toEqual([expect.stringMatching(/teacher\.onnx: answers no to/) as string]);
});

it('refuses a file that was made for another number of channels', async () => {
  const preprocessing = '{"shape":[3],"scale":1,"mean":[0,0,0],"std":[1,1,1]}';
  await writeFile(place('teacher.onnx'), teacher({ preprocessing }));
  await expect(evaluated(place('teacher.onnx'), await recipe())).rejects.toThrow(
    /its metadata prepare 3 channels, received samples of shape \[2\]/,
  );
});

it('a size that the file leaves open is that of --shape, which must fit it', async () => {
  await writeFile(place('teacher.onnx'), teacher());
  await recipe(OWN);
  const sized = async (shape: readonly (number | 'batch')[], name = 'x') =>
    evaluateFile(place('teacher.onnx'), await loadRunnable(place('r.yaml')), 'test', new Map([[name, shape]]));
  expect((await sized([7, 2])).accuracy).toBe((await evaluated(place('teacher.onnx'))).accuracy);
  await expect(sized(['batch', 3])).rejects.toThrow(/input x is \[batch, 2\]/);
  await expect(sized([1, 2], 'y')).rejects.toThrow(/a shape is given for y, which is not an input of the model/);
});
