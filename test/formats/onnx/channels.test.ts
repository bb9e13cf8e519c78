import { channelsBehind, missingChannels, padChannels } from '../../../src/formats/onnx/channels.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';

const float = (...shape: number[]) => ({ dtype: 'float32', shape }) as const;

function convolution(channels: number, filters: number): Model {
  const b = new GraphBuilder();
  const data = Float32Array.from({ length: channels * filters }, (_, i) => Math.sin(i));
  const filter = b.constant(float(1, 1, channels, filters), data);
  const attrs = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  b.output('y', b.op('Conv2D', [b.input('x', float(1, 2, 2, channels)), filter], attrs));
  return lowerToOnnx(b.build());
}

it('zeros are wanted for more than 3 channels, a multiple of 3 and not of 4, and filters a multiple of 4', () => {
  const wanted = Array.from({ length: 15 }, (_, i) => i + 1).filter((channels) => missingChannels(channels, 8) > 0);
  expect(wanted).toEqual([6, 9, 15]);
  expect(wanted.map((channels) => channels + missingChannels(channels, 8))).toEqual([8, 12, 16]);
  expect(missingChannels(6, 6)).toBe(0);
  expect(channelsBehind(4, 2)).toEqual([0, 0, 0, 0, 0, 2, 0, 0]);
});

it.each([17, 10])('a padded model of operator set %s computes the same', async (opset) => {
  const model = { ...convolution(6, 8), opsets: new Map([['', opset]]) };
  const padded = padChannels(model);
  expect(padded.graph.nodes.filter(({ op }) => op === 'Pad')).toHaveLength(2);
  const x = { data: Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)), shape: [1, 2, 2, 6] };
  const run = async (one: Model) =>
    (await new InferenceModel(encodeModel(one), 'a model', sessionOptions('cpu', {})).run({ x }))['y']!.data;
  const [before, after] = [await run(model), await run(padded)];
  expect(Math.max(...[...after].map((value, i) => Math.abs(Number(value) - Number(before[i]))))).toBeLessThan(1e-5);
});

it('a model that needs no zeros stays as it is', () => {
  for (const [channels, filters] of [
    [3, 8],
    [6, 6],
    [12, 8],
  ] as const) {
    const model = convolution(channels, filters);
    expect(padChannels(model)).toBe(model);
  }
});
