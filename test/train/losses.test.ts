import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss, losses } from '../support/losses.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import type { FeaturePair } from '../../src/train/step/loss.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

beforeAll(() => useLazyBackend(evaluator));

const BATCH = 6;
const TEACHER = [4, 4, 6];

const hash = (state: State): string =>
  sha256(...[...state].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([key, { data }]) => [key, bytesOf(data)]));

/** A training of a small network by the loss, as a new process would set it up: from the names and the seed alone. */
async function setUp(name: AnyLoss) {
  const network = layersNetwork(
    sequential({
      layers: [
        layers.conv2d({
          ...{ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, strides: 2, padding: 'same', name: 'conv' },
          kernelInitializer: initializers.glorotUniform({ seed: 1 }),
        }),
        layers.flatten(),
        layers.dense({ units: 4, name: 'dense', kernelInitializer: initializers.glorotUniform({ seed: 2 }) }),
      ],
    }),
  );
  const pair: FeaturePair = { student: 'conv', teacher: 't', studentShape: [4, 4, 3], teacherShape: TEACHER };
  const features = losses[name].needs === 'features' ? [pair] : [];
  const hyper = name === 'crd' ? { negatives: 5, size: 4 } : {};
  const samples = { labels: Int32Array.from({ length: 12 }, (_, row) => row % 4), classes: 4 };
  const loss = createLoss(name, { features, seed: 5, hyper, samples });
  const optimizer = createOptimizer({ type: 'adamw' }, { ...network.trainable, ...loss.variables });
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const program = (batchSize: number) =>
    trainingProgram({ task: classification(4), network, loss, optimizer, batchSize });
  const main = await engine.compile(program(BATCH), { randomKey: ['losses', name] });
  // The last batch of an epoch is a smaller one.
  const small = await engine.compile(program(BATCH - 2), { randomKey: ['losses', name], shareStateWith: main });
  return {
    main,
    step: async (at: number): Promise<number> => {
      const [step, n] = at % 2 === 0 ? [main, BATCH] : [small, BATCH - 2];
      const random = new RandomStream('data', at);
      const normals = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.normal());
      const feeds = {
        x: normals(n * 64),
        labels: Int32Array.from({ length: n }, () => random.below(4)),
        weights: new Float32Array(n).fill(1),
        teacherLogits: normals(n * 4),
        'teacher/t': normals(n * 96),
        rows: Int32Array.from({ length: n }, (_, i) => (5 * at + i) % 12),
        'strong/x': normals(n * 64),
        'strong/teacherLogits': normals(n * 4),
        ...Object.fromEntries(
          Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)]),
        ),
        ...optimizer.feedValues(at, 0.01),
      };
      const results = await step.run(
        Object.fromEntries(Object.entries(feeds).filter(([key]) => step.inputs.has(key))),
        at,
      );
      return (results['loss'] as Float32Array)[0]!;
    },
    dispose: async () => {
      await small.dispose();
      await main.dispose();
    },
    own: Object.keys({ ...loss.variables, ...loss.memory }),
  };
}

// Without that of detectors alone, which `detection-loss` of the conformance tests computes.
const names = (Object.keys(losses) as AnyLoss[]).filter((name) => name !== 'frs');
const withState = ['hint', 'pkd', 'cwd', 'vkd', 'mgd', 'crd', 'reviewkd'];

it.each(names)('%s: two steps, the second on a smaller last batch, move all that is trained', async (name) => {
  const { main, step, own, dispose } = await setUp(name);
  const before = await main.state();
  const values = [await step(0), await step(1)];
  expect(values.every(Number.isFinite)).toBe(true);
  const after = await main.state();
  for (const key of [...own, ...kernels(before)]) expect(after.get(key)!.data).not.toEqual(before.get(key)!.data);
  expect(own.length > 0).toBe(withState.includes(name));
  await dispose();
});

it.each(withState as AnyLoss[])(
  '%s: two steps, another process and two more end with the bits of four',
  async (name) => {
    const [alone, other] = [await setUp(name), await setUp(name)];
    for (const at of [0, 1]) await alone.step(at);
    await other.main.load(await alone.main.state());
    for (const at of [2, 3]) for (const run of [alone, other]) await run.step(at);
    const state = await alone.main.state();
    expect(hash(await other.main.state())).toBe(hash(state));
    expect([...state.keys()]).toEqual(expect.arrayContaining(alone.own));
    await alone.dispose();
    await other.dispose();
  },
);

const kernels = (state: State): string[] => [...state.keys()].filter((key) => key.endsWith('conv/kernel'));
