import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { convertFile } from '../../../src/ship/convert.ts';
import { openFileRunner } from '../../../src/ship/parity/runners.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { numbers } from '../../support/graphs.ts';
import { npyBytes } from '../../support/npy.ts';
import { floats, ints, list, modelOf, scalar } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

const folder = temporaryFolder();

interface Case {
  readonly sample: readonly number[];
  readonly stored: Parameters<typeof modelOf>[1];
  readonly steps: readonly Step[];
  readonly formats?: readonly ('onnx' | 'tflite')[];
  readonly opset?: number;
}

/** [samples, 1, 1] from [samples, ...]. */
const COUNTED: readonly Step[] = [
  ['Shape', ['x'], { end: 1 }, ['n']],
  ['Concat', ['n', 'ones'], { axis: 0 }, ['times']],
];

/** y0 divided by its own size, and a layer behind it. */
const BY_OWN_SIZE: readonly Step[] = [
  ['Mul', ['y0', 'y0']],
  ['ReduceMean', ['y1'], { axes: [-1] }],
  ['Add', ['y2', 'epsilon']],
  ['Sqrt', ['y3']],
  ['Div', ['y0', 'y4']],
  ['MatMul', ['y5', 'v']],
];

const CASES: Readonly<Record<string, Case>> = {
  'a matrix that two layers read, one of them transposed': {
    sample: [6],
    stored: { w: floats(6, 4) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Tanh', ['y0']],
      ['Gemm', ['y1', 'w'], { transB: 1 }],
      ['Tanh', ['y2']],
    ],
  },
  'a stack of matrices': {
    sample: [2, 3],
    stored: { w: floats(2, 3, 4), one: ints(1) },
    steps: [
      ['Unsqueeze', ['x', 'one']],
      ['MatMul', ['y0', 'w']],
      ['Tanh', ['y1']],
    ],
  },
  'queries that are the same for each sample': {
    sample: [3, 4],
    stored: { q: floats(1, 5, 4), w: floats(4, 4), v: floats(4, 4), ones: ints(1, 1) },
    steps: [
      ...COUNTED,
      ['Tile', ['q', 'times'], {}, ['queries']],
      ['MatMul', ['queries', 'w'], {}, ['a']],
      ['MatMul', ['x', 'v'], {}, ['b']],
      ['Transpose', ['b'], { perm: [0, 2, 1] }, ['c']],
      ['MatMul', ['a', 'c']],
    ],
  },
  'a recurrent layer that starts from a stored state': {
    sample: [3, 4],
    stored: { w: floats(1, 6, 4), r: floats(1, 6, 2), h: floats(1, 1, 2), ones: ints(1), one: ints(1) },
    steps: [
      ['Transpose', ['x'], { perm: [1, 0, 2] }, ['steps']],
      ['Shape', ['x'], { end: 1 }, ['n']],
      ['Concat', ['one', 'n', 'ones'], { axis: 0 }, ['shape']],
      ['Expand', ['h', 'shape'], {}, ['state']],
      ['GRU', ['steps', 'w', 'r', '', '', 'state'], { hidden_size: 2 }, ['', 'last']],
      ['Transpose', ['last'], { perm: [1, 0, 2] }],
    ],
  },
  'probabilities of rare events, all far below a step of 1 / 256': {
    sample: [6],
    stored: { w: floats(6, 4), rare: list(-8, -8, -8, -8) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Add', ['y0', 'rare']],
      ['Sigmoid', ['y1']],
    ],
  },
  'boxes in pixels beside scores': {
    sample: [6],
    stored: { w: floats(6, 4), v: floats(6, 8), size: list(640) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Sigmoid', ['y0']],
      ['Mul', ['y1', 'size'], {}, ['boxes']],
      ['MatMul', ['x', 'v']],
      ['Sigmoid', ['y3'], {}, ['scores']],
      ['Concat', ['boxes', 'scores'], { axis: 1 }],
    ],
  },
  'boxes by the strides of their levels beside scores, in another order behind': {
    sample: [6],
    stored: { w: floats(6, 4), v: floats(6, 8), strides: list(8, 16, 32, 64), shape: ints(0, 3, 4) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Sigmoid', ['y0']],
      ['Mul', ['y1', 'strides'], {}, ['boxes']],
      ['MatMul', ['x', 'v']],
      ['Sigmoid', ['y3'], {}, ['scores']],
      ['Concat', ['boxes', 'scores'], { axis: 1 }],
      ['Reshape', ['y5', 'shape']],
      ['Transpose', ['y6'], { perm: [0, 2, 1] }],
    ],
  },
  'numbers that are divided to units of their own': {
    sample: [6],
    stored: { w: floats(6, 4), by: list(0.001, 100, 1, 1), plus: list(5, 1, 0, 0) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Tanh', ['y0']],
      ['Div', ['y1', 'by']],
      ['Add', ['y2', 'plus']],
    ],
  },
  'numbers that are brought to units of their own': {
    sample: [6],
    stored: { w: floats(6, 3), times: list(1000, 0.01, 1), plus: list(-50, 3, 290) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Mul', ['y0', 'times']],
      ['Add', ['y1', 'plus']],
    ],
  },
  'a temperature in kelvin': {
    sample: [6],
    stored: { w: floats(6, 1), zero: list(273) },
    steps: [
      ['MatMul', ['x', 'w']],
      ['Tanh', ['y0']],
      ['Add', ['y1', 'zero']],
    ],
  },
  'vectors divided by their own sizes, of which some are smaller': {
    sample: [2, 8],
    stored: { size: { ...list(1, 0.1), dims: [2, 1] }, epsilon: scalar(1e-5), v: floats(8, 3) },
    steps: [['Mul', ['x', 'size']], ...BY_OWN_SIZE],
    formats: ['onnx'],
  },
  'an average pool with dilation': {
    sample: [2, 7, 7],
    stored: { w: floats(4, 2, 3, 3), v: floats(3, 4, 1, 1) },
    steps: [
      ['Conv', ['x', 'w']],
      ['AveragePool', ['y0'], { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 0, 0, 1] }],
      ['Conv', ['y1', 'v']],
    ],
    opset: 19,
  },
};

it.each(
  Object.entries(CASES).flatMap(([name, one]) =>
    (one.formats ?? ['onnx', 'tflite']).map((format) => [name, format, one] as const),
  ),
)('int8 of %s, in %s', async (_, format, { sample, stored, steps, opset }) => {
  const at = (name: string): string => path.join(folder(), name);
  const size = sample.reduce((a, b) => a * b, 1);
  await writeFile(at('m.onnx'), encodeModel(modelOf(['n', ...sample], stored, steps, opset)));
  await writeFile(at('x.npy'), npyBytes([64, ...sample], numbers(64 * size, 'x')));
  const { outputs } = await convertFile({ from: at('m.onnx'), out: at(`int8.${format}`), format, precision: 'int8', data: at('x.npy') }); // prettier-ignore
  expect(outputs[0]!.sqnrDb).toBeGreaterThan(24);
  expect(outputs[0]!.variationDb).toBeGreaterThan(24);
  expect(outputs[0]!.lost).toBeNull();
});

it.each(['onnx', 'tflite'] as const)(
  'int8 of a vector that is divided by its own size, on a blank sample, in %s',
  async (format) => {
    const at = (name: string): string => path.join(folder(), name);
    const stored = { w: floats(6, 8), epsilon: scalar(1e-5), v: floats(8, 3) };
    const model = modelOf(['n', 6], stored, [['MatMul', ['x', 'w']], ...BY_OWN_SIZE]);
    await writeFile(at('m.onnx'), encodeModel(model));
    await writeFile(at('x.npy'), npyBytes([64, 6], numbers(64 * 6, 'x')));
    const [from, out] = [at('m.onnx'), at(`int8.${format}`)];
    await convertFile({ from, out, format, precision: 'int8', data: at('x.npy') });
    const file = await openFileRunner({ file: out, bytes: await readFile(out), format }, {});
    const { data } = Object.values(await file.run({ x: { data: new Float32Array(6), shape: [1, 6] } }))[0]!;
    file.dispose();
    // The epsilon, which 8 bits round to 0, keeps it from dividing 0 by 0.
    data.forEach((value) => expect(Math.abs(value)).toBeLessThan(0.1));
  },
);
