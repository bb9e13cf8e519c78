import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { floats, sketch } from '../formats/tflite/support.ts';
import { limbeck } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

it('memory of a model is at least that of its weights, and not that of the program', async () => {
  const graph = sketch((g) => {
    return g.op('BatchMatMul', [g.input('x', floats('batch', 2000)), g.weights([2000, 2000])], {
      ...{ transposeA: false, transposeB: false },
    });
  });
  await writeFile(path.join(folder(), 'wide.onnx'), encodeModel(lowerToOnnx(graph)));
  const { code, stdout } = await limbeck(folder(), 'bench', 'wide.onnx', '--seconds', '0.2', '--json');
  expect(code).toBe(0);
  const { rows } = JSON.parse(stdout) as { rows: { memoryBytes: number }[] };
  const weights = 4 * 2000 * 2000;
  expect(rows[0]!.memoryBytes).toBeGreaterThan(0.9 * weights);
  expect(rows[0]!.memoryBytes).toBeLessThan(4 * weights);
});
