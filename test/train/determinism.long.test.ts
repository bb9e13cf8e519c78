import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss } from '../support/losses.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { trainingProgram } from '../../src/train/step/step.ts';

const STEPS = 500;
const BATCH = 8;

beforeAll(() => useLazyBackend(evaluator));

interface Net {
  readonly model: string;
  readonly inputShape: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** SHA-256 of all weights and optimizer slots after the steps, from nothing but `seed`. */
async function trained({ model: name, inputShape, options }: Net, seed: number, steps = STEPS): Promise<string> {
  const model = buildModel(name, { inputShape, classes: 4, seed, options });
  const loss = createLoss('kd');
  const optimizer = createOptimizer({ type: 'adamw', weightDecay: 0.01 }, layersNetwork(model).trainable);
  const program = trainingProgram({
    task: classification(4),
    network: layersNetwork(model),
    loss,
    optimizer,
    batchSize: BATCH,
  });
  const step = await createOnnxRuntimeEngine({ device: 'cpu' }).compile(program, { randomKey: [seed, 'test'] });
  const size = BATCH * inputShape.reduce((a, b) => a * b, 1);
  const hyper = Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)] as const);
  const random = new RandomStream(seed, 'data');
  for (let i = 0; i < steps; i++) {
    await step.run(
      {
        x: Float32Array.from({ length: size }, () => random.normal()),
        labels: Int32Array.from({ length: BATCH }, () => random.below(4)),
        teacherLogits: Float32Array.from({ length: BATCH * 4 }, () => random.normal()),
        weights: new Float32Array(BATCH).fill(1),
        ...Object.fromEntries(hyper),
        ...optimizer.feedValues(i, 0.003),
      },
      i,
    );
  }
  const state = await step.state();
  await step.dispose();
  return sha256(...[...state].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([key, { data }]) => [key, bytesOf(data)]));
}

const nets: Record<string, Net> = {
  'mlp with dropout': { model: 'mlp', inputShape: [6], options: { hidden: [32], dropout: 0.2 } },
  // 16 channels: the blocked layout where this CPU has it.
  'residual network': { model: 'resnet', inputShape: [8, 8, 1], options: { depth: 8 } },
};

describe(`${STEPS} steps from one seed`, () => {
  it.each(Object.keys(nets))('%s: two runs end with the same bytes, another seed with others', async (name) => {
    const net = nets[name]!;
    const first = await trained(net, 3);
    expect(await trained(net, 3)).toBe(first);
    expect(await trained(net, 4, 2)).not.toBe(await trained(net, 3, 2));
  });
});
