import { attributes } from '../../../src/formats/onnx/attribute.ts';
import { inputScaling } from '../../../src/formats/onnx/input-scaling.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';

type Step = readonly [op: string, ...operands: (readonly number[])[]];

/** A model of pictures [1, 2, 2, 3] that begins with these steps; operands are stored, and `x` is their first, except for a difference from a number. */
function begins(...steps: readonly Step[]): Model {
  const initializers = steps.flatMap(([op, ...operands], i) =>
    operands.map((values, k) => tensor(`c${i}_${k}`, 'float32', values.length === 1 ? [] : op === 'BatchNormalization' ? [3] : [1, 1, 1, 3], Float32Array.from(values)))); // prettier-ignore
  const nodes = steps.map(([op, ...operands], i) => {
    const [from, stored] = [i === 0 ? 'x' : `v${i - 1}`, operands.map((_, k) => `c${i}_${k}`)];
    const attrs = attributes(op === 'Transpose' ? { perm: [0, 3, 1, 2] } : op === 'BatchNormalization' ? { epsilon: { float: 0.01 } } : {}); // prettier-ignore
    return { op: op.replace('From', ''), domain: '', name: '', inputs: op.endsWith('From') ? [...stored, from] : [from, ...stored], outputs: [`v${i}`], attrs }; // prettier-ignore
  });
  const graph = { name: 'g', nodes, initializers, inputs: [{ name: 'x', dtype: 'float32', dims: [1, 2, 2, 3] }], outputs: [{ name: `v${steps.length - 1}`, dtype: 'float32' }], valueInfos: [] } as const; // prettier-ignore
  return { irVersion: 8, opsets: new Map([['', 17]]), producerName: '', producerVersion: '', graph, metadata: new Map(), functions: [] }; // prettier-ignore
}

it.each<[string, readonly Step[]]>([
  ['Rescaling of Keras', [['Mul', [1 / 127.5]], ['Add', [-1]]]],
  ['Normalization of Keras', [['Sub', [120, 110, 100]], ['Div', [60, 61, 62]]]],
  ['a difference from a number', [['SubFrom', [255]], ['Mul', [1 / 255]]]],
  ['a batch norm behind a transposition', [['Transpose'], ['BatchNormalization', [1, 2, 3], [0, 0.5, 1], [100, 90, 80], [900, 1600, 2500]]]],
])('the scaling that a model begins with is that of ONNX Runtime: %s', async (_name, steps) => {
  const model = begins(...steps);
  const { scale, offset } = inputScaling(model, 3)!;
  const session = new InferenceModel(encodeModel(model), 'm', { executionProviders: ['cpu'] });
  const x = Float32Array.from({ length: 12 }, (_, i) => 20 * i);
  const [name] = session.outputs.map((output) => output.name) as [string];
  const { data, shape } = (await session.run({ x: { dtype: 'float32', data: x, shape: [1, 2, 2, 3] } as never }, [name]))[name]!;
  session.dispose();
  const isFirst = shape[1] === 3;
  x.forEach((value, i) => {
    const at = isFirst ? (i % 3) * 4 + Math.floor(i / 3) : i;
    expect((data as Float32Array)[at]).toBeCloseTo(value * scale[i % 3]! + offset[i % 3]!, 4);
  });
}); // prettier-ignore

it('a model that computes something else of its input, or divides by it, begins with no scaling', () => {
  expect(inputScaling(begins(['Sqrt'], ['Mul', [2]]), 3)).toBeUndefined();
  expect(inputScaling(begins(['DivFrom', [1]]), 3)).toBeUndefined();
  expect(inputScaling(begins(['Mul', [1, 2, 3]]), 2)).toBeUndefined();
  expect(inputScaling(begins(['Mul', [2]], ['Sqrt']), 3)).toEqual({ scale: [2, 2, 2], offset: [0, 0, 0] });
});
