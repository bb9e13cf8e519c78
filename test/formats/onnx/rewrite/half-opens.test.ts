import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { lowerReduced } from '../../../../src/formats/onnx/rewrite/reduce.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();

/** Opens the file with every optimization, as most apps do, and answers with the numbers of y for x = sin(0), sin(1), … */
const ANSWER = `
import ort from 'onnxruntime-node';
const [file, shape] = process.argv.slice(1);
const dims = JSON.parse(shape);
const session = await ort.InferenceSession.create(file, { graphOptimizationLevel: 'all', logSeverityLevel: 4 });
const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
const { y } = await session.run({ x: new ort.Tensor('float32', data, dims) });
console.log(JSON.stringify([...y.data]));`;

/** The answers come from a process of their own: ONNX Runtime ends a process that opens a file of the kind that is tested. */
async function answers(bytes: Uint8Array, shape: readonly number[]): Promise<readonly number[]> {
  const file = path.join(folder(), 'model.onnx');
  await writeFile(file, bytes);
  const args = ['--input-type=module', '-e', ANSWER, file, JSON.stringify(shape)];
  const { status, signal, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, signal]).toEqual([0, null]);
  return JSON.parse(stdout) as number[];
}

it.each([
  [[1, 0, 2], true],
  [[1, 0, 2], false],
  [[1, 2, 0], true],
  [[1, 2, 0, 3], true],
  [[1, 2, 3, 0], true],
])('float16: a product opens whose factor was transposed by %j, of the input: %s', async (perm, isInput) => {
  const b = new GraphBuilder();
  const shape = perm.map(() => 4);
  const x = b.input('x', { dtype: 'float32', shape });
  const weight = b.constant(
    { dtype: 'float32', shape: [4, 4] },
    Float32Array.from({ length: 16 }, (_, i) => Math.cos(i)),
  );
  const turned = b.op('Transpose', [isInput ? x : b.op('Concat', [x, x], { axis: 1 })], { perm });
  b.output('y', b.op('BatchMatMul', [turned, weight], { transposeA: false, transposeB: false }));
  const graph = b.build();
  const expected = await answers(encodeModel(lowerToOnnx(graph)), shape);
  const received = await answers(encodeModel(lowerReduced(graph, 'fp16').result), shape);
  expect(received).toHaveLength(expected.length);
  expect(Math.max(...received.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(2e-3);
  expect(received).not.toEqual(expected);
});
