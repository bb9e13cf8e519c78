import { NCHWC } from '../../formats/onnx/lower/blocked/domain.ts';
import type { Model, OnnxAttr, OnnxNode } from '../../formats/onnx/model.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import type { Tensor } from './session.ts';
import { ortTensor, OnnxSession, tensorValues } from './session.ts';

let found: { readonly size: number | undefined } | undefined;

/**
 * Number of channels in a block of ONNX Runtime's convolutions for this CPU: 16 with AVX-512, 8 with AVX; undefined if they cannot be used. The
 * blocked ops are internal to ONNX Runtime and may change, so a small convolution is computed and compared. Determined once per process.
 */
export function blockSize(): number | undefined {
  found ??= { size: probed() };
  return found.size;
}

function probed(): number | undefined {
  try {
    const size = reordered();
    return size >= 8 && convolves(size) ? size : undefined;
  } catch {
    return undefined;
  }
}

/** Block size as seen from a reordering, which pads 4 channels to a block. */
function reordered(): number {
  const { dims } = run([node('ReorderInput', ['x'], 'y')], { x: filled([1, 4, 1, 1], () => 1) });
  return dims[1]!;
}

/** Tests a 3×3 convolution, stride 1 down and 2 across, with padding that differs at every edge. */
function convolves(size: number): boolean {
  const [height, width, pads] = [4, 6, [1, 0, 0, 1]] as const;
  const x = filled([1, size, height, width], (i) => ((i * 7) % 13) - 6);
  const w = filled([size, size, 3, 3], (i) => ((i * 5) % 11) - 5);
  const attrs = new Map<string, OnnxAttr>([
    ['kernel_shape', { type: 'ints', value: [3, 3] }],
    ['strides', { type: 'ints', value: [1, 2] }],
    ['pads', { type: 'ints', value: pads }],
    ['activation', { type: 'string', value: 'Relu' }],
  ]);
  const result = run([node('Conv', ['x', 'w'], 'y', attrs)], { x, w });
  const expected = reference(tensorValues(x) as Float32Array, tensorValues(w) as Float32Array, size, height, width);
  const values = tensorValues(result);
  return result.dims.join() === [1, size, 3, 3].join() && expected.every((value, i) => value === values[i]);
}

/** Reference for x [height, width, size], w [height, width, in, out], small integers: the order of summing does not matter. */
function reference(x: Float32Array, w: Float32Array, size: number, height: number, width: number): number[] {
  const at = (row: number, column: number, channel: number): number =>
    row < 0 || column < 0 || row >= height || column >= width ? 0 : x[(row * width + column) * size + channel]!;
  return Array.from({ length: 9 * size }, (_, i) => {
    const [out, column, row] = [i % size, Math.floor(i / size) % 3, Math.floor(i / size / 3)];
    let sum = 0;
    for (let tap = 0; tap < 9; tap++)
      for (let channel = 0; channel < size; channel++)
        sum +=
          at(row + Math.floor(tap / 3) - 1, 2 * column + (tap % 3), channel) * w[(tap * size + channel) * size + out]!;
    return Math.max(0, sum);
  });
}

function filled(dims: readonly number[], value: (index: number) => number): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return ortTensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => value(i)),
    dims,
  );
}

function node(op: string, inputs: readonly string[], output: string, attrs: OnnxNode['attrs'] = new Map()): OnnxNode {
  return { op, domain: NCHWC, name: op, inputs, outputs: [output], attrs };
}

function run(nodes: readonly OnnxNode[], feeds: Readonly<Record<string, Tensor>>): Tensor {
  const info = (name: string, dims: readonly number[]): Model['graph']['inputs'][number] => ({
    name,
    dtype: 'float32',
    dims: [...dims],
  });
  const model: Model = {
    irVersion: 8,
    opsets: new Map([
      ['', 17],
      [NCHWC, 1],
    ]),
    producerName: 'limbeck',
    producerVersion: '',
    graph: {
      name: 'probe',
      nodes,
      initializers: [],
      inputs: Object.entries(feeds).map(([name, { dims }]) => info(name, dims)),
      outputs: [{ name: 'y', dtype: 'float32', dims: [1, 'channels', 'height', 'width'] }],
      valueInfos: [],
    },
    metadata: new Map(),
    functions: [],
  };
  const session = new OnnxSession(encodeModel(model), {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    return session.run(feeds, { y: null }).y!;
  } finally {
    session.dispose();
  }
}
