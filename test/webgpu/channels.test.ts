import { RandomStream } from '../../src/base/random.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';

const window = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const float = (...shape: number[]) => ({ dtype: 'float32', shape }) as const;
const values = (shape: readonly number[], name: string): Float32Array => {
  const random = new RandomStream('channels', name);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
};

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-4);
}

/** What a device computes for a graph of two inputs. */
async function computed(device: 'cpu' | 'webgpu', op: string, shapes: number[][], attrs = {}): Promise<Float32Array> {
  const b = new GraphBuilder();
  const inputs = shapes.map((shape, i) => b.input(`i${i}`, float(...shape)));
  b.output('y', b.op(op, inputs, { ...window, ...attrs }));
  const step = await createOnnxRuntimeEngine({ device }).compileGraph(b.build(), new Map());
  const feeds = Object.fromEntries(shapes.map((shape, i) => [`i${i}`, values(shape, `i${i}`)]));
  const y = ((await step.run(feeds))['y'] as Float32Array).slice();
  await step.dispose();
  return y;
}

describe('webgpu computes what the cpu does, also where its own convolutions read channels by three', () => {
  it.each([3, 4, 6, 9, 15])('%s channels, 8 filters', async (channels) => {
    const shapes = [
      [2, 5, 5, channels],
      [3, 3, channels, 8],
    ];
    expectClose(await computed('webgpu', 'Conv2D', shapes), await computed('cpu', 'Conv2D', shapes));
  });

  it.each([4, 6, 9])('gradient of filters over %s samples', async (samples) => {
    const shapes = [
      [samples, 5, 5, 2],
      [samples, 5, 5, 8],
    ];
    const attrs = { filterShape: [3, 3, 2, 8] };
    const of = (device: 'cpu' | 'webgpu') => computed(device, 'Conv2DBackpropFilter', shapes, attrs);
    expectClose(await of('webgpu'), await of('cpu'));
  });

  it('a file', async () => {
    const b = new GraphBuilder();
    const filter = b.constant(float(3, 3, 6, 8), values([3, 3, 6, 8], 'filter'));
    b.output('y', b.op('Conv2D', [b.input('x', float(2, 5, 5, 6)), filter], window));
    const bytes = encodeModel(lowerToOnnx(b.build()));
    const data = values([2, 5, 5, 6], 'x');
    const answer = async (device: 'cpu' | 'webgpu'): Promise<Float32Array> => {
      const model = new InferenceModel(bytes, 'a file', sessionOptions(device, {}));
      const { y } = await model.run({ x: { data, shape: [2, 5, 5, 6] } });
      model.dispose();
      return y!.data as Float32Array;
    };
    expectClose(await answer('webgpu'), await answer('cpu'));
  });
});
