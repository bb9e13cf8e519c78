import { fromHalfArray, toHalfArray } from '../../../src/base/bytes.ts';
import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import type { Model, OnnxDType, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import type { TensorData } from '../../../src/graph/types.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { expectClose, numbers } from '../../support/graphs.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { floats, integer, ints, modelOf, positive } from '../../support/onnx-steps.ts';

async function run(
  model: Model,
  feeds: Readonly<Record<string, TensorData>>,
  dims: readonly number[],
): Promise<TensorData> {
  const session = new InferenceModel(encodeModel(model), 'm.onnx', sessionOptions('cpu', { threads: 1 }));
  const tensors = Object.entries(feeds).map(([name, data]) => [name, { data, shape: dims }] as const);
  const { y } = await session.run(Object.fromEntries(tensors));
  session.dispose();
  return y!.data.slice();
}

function fedWith(model: Model, inputs: Readonly<Record<string, OnnxDType>>, dims: readonly (number | string)[]): Model {
  const infos = Object.entries(inputs).map(([name, dtype]) => ({ name, dtype, dims }));
  return { ...model, graph: { ...model.graph, inputs: infos } };
}

const half = ({ dims, raw }: OnnxTensor): OnnxTensor => {
  const values = new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
  const bits = toHalfArray(values);
  return { name: '', dtype: 'float16', dims, raw: new Uint8Array(bits.buffer) };
};

describe('inputs of other types', () => {
  const table: Step[] = [
    ['Gather', ['table', 'x'], { axis: 0 }],
    ['ReduceMean', ['y0'], { axes: [1], keepdims: 0 }],
    ['MatMul', ['y1', 'w']],
  ];
  const stored = { table: floats(9, 4), w: floats(4, 3), one: integer(1) };

  it.each(['int64', 'int32'] as const)('are ids of %s that choose rows of a table', async (dtype) => {
    const model = fedWith(modelOf([], stored, table), { x: dtype }, ['N', 5]);
    const ids = [0, 3, 8, 8, 1, 2, 7, 5, 4, 6];
    const x = dtype === 'int64' ? BigInt64Array.from(ids, BigInt) : Int32Array.from(ids);
    const read = importOnnx(model, 'm.onnx');
    expect(read.inputs.get('x')).toEqual({ dtype, shape: ['batch', 5] });
    const expected = (await run(model, { x }, [2, 5])) as Float32Array;
    expectClose((await run(lowerToOnnx(read), { x }, [2, 5])) as Float32Array, expected, 1e-6);
  });

  it('are ids beside places that are repeated for each sample', async () => {
    const steps: Step[] = [
      ['Gather', ['table', 'x'], { axis: 0 }],
      ['Range', ['zero', 'five', 'one']],
      ['Unsqueeze', ['y1', 'first']],
      ['Shape', ['x']],
      ['Expand', ['y2', 'y3']],
      ['Gather', ['table', 'y4'], { axis: 0 }],
      ['Add', ['y0', 'y5']],
    ];
    const held = { ...stored, zero: integer(0), five: integer(5), first: ints(0) };
    const model = fedWith(modelOf([], held, steps), { x: 'int64' }, ['N', 5]);
    const x = BigInt64Array.from([0, 3, 8, 8, 1, 2, 7, 5, 4, 6], BigInt);
    const expected = (await run(model, { x }, [2, 5])) as Float32Array;
    const read = lowerToOnnx(importOnnx(model, 'm'));
    expectClose((await run(read, { x }, [2, 5])) as Float32Array, expected, 1e-6);
  });

  it('are ids beside a mask of truths', async () => {
    const steps: Step[] = [
      ['Add', ['x', 'one']],
      ['Cast', ['y0'], { to: 1 }],
      ['Not', ['mask']],
      ['Cast', ['y2'], { to: 1 }],
      ['Mul', ['y1', 'y3']],
    ];
    const model = fedWith(modelOf([], stored, steps), { x: 'int64', mask: 'bool' }, ['N', 3]);
    const feeds = { x: BigInt64Array.of(4n, 5n, 6n), mask: Uint8Array.of(0, 1, 0) };
    expect([...((await run(lowerToOnnx(importOnnx(model, 'm')), feeds, [1, 3])) as Float32Array)]).toEqual([5, 0, 7]);
  });

  it('are float32 where a file is float16, and give the same', async () => {
    const weights = { w: half(floats(4, 3, 3, 3)), b: half(positive(4)) };
    const steps: Step[] = [
      ['Conv', ['x', 'w', 'b']],
      ['Cast', ['y0'], { to: 1 }],
      ['Cast', ['y1'], { to: 10 }],
      ['Relu', ['y2']],
    ];
    const plain = modelOf([], weights, steps);
    const outputs = [{ name: 'y', dtype: 'float16' as const }];
    const model = fedWith({ ...plain, graph: { ...plain.graph, outputs } }, { x: 'float16' }, ['N', 3, 6, 6]);
    const fed = toHalfArray(numbers(2 * 3 * 36, 'x'));
    const read = importOnnx(model, 'm.onnx');
    expect(read.inputs.get('x')).toEqual({ dtype: 'float32', shape: ['batch', 3, 6, 6] });
    const expected = fromHalfArray((await run(model, { x: fed }, [2, 3, 6, 6])) as Uint16Array);
    const actual = await run(lowerToOnnx(read), { x: fromHalfArray(fed) }, [2, 3, 6, 6]);
    expectClose(actual as Float32Array, expected, 2e-3);
  });

  it('are refused where the graph computes with them as with floats', () => {
    const model = fedWith(modelOf([], {}, [['Exp', ['x']]]), { x: 'int64' }, ['N', 3]);
    expect(() => importOnnx(model, 'm.onnx')).toThrow(/\(Exp\): it computes with int64; expected float32/);
  });
});
