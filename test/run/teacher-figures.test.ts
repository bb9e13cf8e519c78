import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Model } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { teacherFigures } from '../../src/run/teacher-figures.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** A 3×3 convolution from 2 channels to 4 on pictures of 6×5, channels first. */
function convolution(): Model {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 6, 5, 2] });
  const w = b.constant({ dtype: 'float32', shape: [3, 3, 2, 4] }, new Float32Array(72).fill(1));
  b.output('y', b.op('Conv2D', [x, w], { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] }));
  return lowerToOnnx(b.build());
}

const MACS = 6 * 5 * 4 * 9 * 2;

it.each<[string, readonly (number | string)[], number | null]>([
  ['an open batch', ['batch', 6, 5, 2], MACS],
  ['a batch of 8', [8, 6, 5, 2], MACS],
  ['open sides', ['batch', 'height', 'width', 2], MACS],
  ['a batch of 8 and open sides', [8, 'height', 'width', 2], MACS],
  ['all open', ['batch', 'height', 'width', 'channels'], null],
])('multiply-accumulates of one sample are those of a file with %s', async (_name, dims, macs) => {
  const model = convolution();
  const inputs = model.graph.inputs.map((input) => ({ ...input, dims }));
  const outputs = model.graph.outputs.map(({ name }) => ({ name, dtype: 'float32' as const }));
  const onnx = path.join(folder(), 'teacher.onnx');
  await writeFile(onnx, encodeModel({ ...model, graph: { ...model.graph, inputs, outputs, valueInfos: [] } }));
  expect(await teacherFigures({ onnx } as never, [6, 5, 2])).toEqual({ format: 'onnx', macs });
});
