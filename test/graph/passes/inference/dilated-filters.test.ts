import { contentOf } from '../../../../src/networks/network.ts';
import { onnxNetwork } from '../../../../src/networks/onnx/onnx.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { evaluator } from '../../../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { inferenceGraph } from '../../../../src/ship/export.ts';
import { useLazyBackend } from '../../../../src/trace/use.ts';
import { relativeError } from '../../../support/error.ts';
import { numbers } from '../../../support/graphs.ts';
import { floats, modelOf } from '../../../support/onnx-steps.ts';

beforeAll(() => useLazyBackend(evaluator));

it.each([
  ['along one axis', [3], [3], 1],
  ['along both axes', [3, 2], [3, 3], 1],
  ['of each channel alone', [1, 2], [3, 3], 12],
] as const)(
  'a student with a dilation %s ships its taps, and answers as its file does',
  async (_, dilations, kernel, group) => {
    const pads = [...dilations, ...dilations];
    const sides = dilations.map(() => 10);
    const model = modelOf(['n', 12, ...sides], { a: floats(24, 12 / group, ...kernel), w: floats(3, 24) }, [
    ['Conv', ['x', 'a'], { kernel_shape: [...kernel], dilations: [...dilations], pads, group }],
    ['Relu', ['y0']],
    ['GlobalAveragePool', ['y1']],
    ['Flatten', ['y2']],
    ['Gemm', ['y3', 'w'], { transB: 1 }],
  ]); // prettier-ignore
    const sample = [...sides, 12];
    const network = onnxNetwork(model, 'm.onnx', { inputShape: sample, classes: 3, seed: 0, head: 'keep', freeze: [] });
    const graph = inferenceGraph({ network, weights: contentOf(network) }, []);
    const convolutions = graph.nodes.filter(({ op }) => /Conv/.test(op));
    expect(convolutions.map(({ attrs }) => attrs['dilations'])).toEqual([dilations.length === 1 ? [1, dilations[0]] : dilations]); // prettier-ignore
    expect(convolutions.every(({ inputs }) => graph.constants.has(inputs[1]!))).toBe(true);
    const size = 2 * 12 * 10 ** sides.length;
    const [own, data] = [numbers(size, 'x'), new Float32Array(size)];
    // Channels last, of the same samples.
    const pixels = 10 ** sides.length;
    own.forEach((value, i) => {
      const within = i % (12 * pixels);
      data[i - within + (within % pixels) * 12 + Math.floor(within / pixels)] = value;
    });
    const ran = async (bytes: Uint8Array, x: Float32Array, shape: readonly number[]) => {
      const session = new InferenceModel(bytes, 'm.onnx', {});
      const given = await session.run({ [session.inputs[0]!.name]: { data: x, shape } });
      session.dispose();
      return Object.values(given)[0]!.data as Float32Array;
    };
    const expected = await ran(encodeModel(model), own, [2, 12, ...sides]);
    expect(relativeError(await ran(encodeModel(lowerToOnnx(graph)), data, [2, ...sample]), expected)).toBeLessThan(
      1e-5,
    );
  },
);
