import { evaluator } from '../../src/runtime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { createTensorFlowEngine } from '../../src/runtime/tensorflow.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import type { OptimizerConfig } from '../../src/train/optimizers.ts';
import { expectSame, followed, setups, trained, type Setup } from '../support/trainings.ts';

const STEPS = 20;

beforeAll(() => useLazyBackend(evaluator));

const mlp: Setup = { model: 'mlp', inputShape: [6] };
const losses = ['ce', 'kd', 'kd-standardized', 'dkd', 'dist', 'mse'];
const optimizers: OptimizerConfig['type'][] = ['sgd', 'momentum', 'nesterov', 'rmsprop', 'adam', 'adamw'];
const cases: Record<string, Setup> = {
  ...setups,
  'mlp with dropout': { ...mlp, options: { dropout: 0.3 } },
  ...Object.fromEntries(
    losses.flatMap((loss) =>
      optimizers.map((type) => [
        `mlp, ${loss}, ${type}`,
        { ...mlp, loss, rate: 1e-3, optimizer: { type, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.01 } },
      ]),
    ),
  ),
};

const onnxruntime = (): Engine => createOnnxRuntimeEngine({ device: 'cpu' });
const tensorflow = () => createTensorFlowEngine('cpu');

it('is a TensorFlow of this decade on the cpu', () => {
  expect(tensorflow()).toMatchObject({ name: 'tensorflow', device: 'cpu' });
  expect(tensorflow().version).toMatch(/^2\.\d+/);
});

describe('twenty steps on libtensorflow and on ONNX Runtime agree to 1e-4', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const expected = await trained(cases[name]!, onnxruntime(), STEPS);
    expectSame(await trained(cases[name]!, tensorflow(), STEPS), expected);
  });
});

describe('a state moves between the engines in mid-training', () => {
  it.each([
    ['onnxruntime to tensorflow', onnxruntime, tensorflow],
    ['tensorflow to onnxruntime', tensorflow, onnxruntime],
  ])('%s', async (_, first, second) => {
    const setup = setups['mlp, adamw']!;
    const through = await trained(setup, onnxruntime(), STEPS);
    const half = await trained(setup, first(), STEPS / 2);
    const rest = await trained(setup, second(), STEPS, STEPS / 2, half.state);
    expectSame(followed(half, rest), through);
  });
});

it('frees what it holds when the step is disposed', async () => {
  const { memory } = await import('@tensorflow/tfjs-core');
  const kept = async (engine: () => Engine): Promise<number> => {
    const before = memory().numDataBuffers;
    await trained(mlp, engine(), 2);
    return memory().numDataBuffers - before;
  };
  await kept(tensorflow);
  // What is left are the model's and the optimizer's own variables, with either engine.
  expect(await kept(tensorflow)).toBe(await kept(onnxruntime));
});

it('refuses products in float16', async () => {
  await expect(trained({ ...mlp, mixed: true }, tensorflow(), 1)).rejects.toThrow('expected precision full');
});
