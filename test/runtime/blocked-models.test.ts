import { buildModel } from '../../src/networks/models/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { State } from '../../src/runtime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { predictionProgram } from '../../src/train/evaluate/inference.ts';

/** Statistics and offsets as a trained model has them: a fresh one has batch norms that do next to nothing. */
function trained(state: State): State {
  const drawn = (name: string, data: Float32Array): Float32Array => {
    if (/variance/.test(name)) return data.map((_, i) => 0.5 + ((i * 7) % 5) / 5);
    if (/gamma/.test(name)) return data.map((_, i) => 0.5 + ((i * 5) % 3) / 2);
    return /mean|beta|bias/.test(name) ? data.map((_, i) => (((i * 3) % 7) - 3) / 10) : data;
  };
  return new Map([...state].map(([name, { type, data }]) => [name, { type, data: drawn(name, data as Float32Array) }]));
}

describe('a model in evaluation answers the same in blocked layout and in plain', () => {
  beforeAll(() => useLazyBackend(evaluator));

  it.each([
    ['ds-cnn', { width: 0.5 }],
    ['ds-cnn', { width: 2 }],
    ['mobilenet-v1', {}],
    ['mobilenet-v2', {}],
    ['resnet', { depth: 8 }],
    ['vgg', { width: 0.25 }],
    ['lenet', {}],
    ['cnn', {}],
  ])('%s %j', async (name, options) => {
    const model = buildModel(name, { inputShape: [28, 28, 1], classes: 10, seed: 7, options });
    const program = predictionProgram({ network: layersNetwork(model), batchSize: 4 });
    const x = Float32Array.from({ length: 4 * 784 }, (_, i) => Math.sin(i * 12.9) * 0.5 + 0.5);
    const [blocked, plain] = await Promise.all(
      [true, false].map(async (layout) => {
        const step = await createOnnxRuntimeEngine({ device: 'cpu', blocked: layout }).compile(program);
        await step.load(trained(await step.state()));
        return (await step.run({ x })).logits as Float32Array;
      }),
    );
    const largest = plain!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    blocked!.forEach((value, i) => expect(Math.abs(value - plain![i]!)).toBeLessThan(1e-3 * largest));
  });
});
