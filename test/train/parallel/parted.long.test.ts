import { initializers, input, layers, model as layersModel } from '@tensorflow/tfjs-layers';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { FakeQuantizedNetwork } from '../../../src/compress/quantize/qat/network.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { neededOf } from '../../../src/data/batches/share.ts';
import type { Share } from '../../../src/data/batches/share.ts';
import { createLoss } from '../../support/losses.ts';
import type { AnyLoss } from '../../../src/distill/losses/registry.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { Network } from '../../../src/networks/network.ts';
import type { Quantization } from '../../../src/graph/quantization.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { sharingIn } from '../../../src/run/processes/processes.ts';
import { inferenceGraph } from '../../../src/ship/export.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import type { TrainingBatch } from '../../../src/train/step/batch.ts';
import { gradientProgram, updateProgram } from '../../../src/train/step/gradient.ts';
import { withKnown } from '../../../src/train/step/known.ts';
import { LossScale } from '../../../src/train/step/loss-scale.ts';
import { Trainer } from '../../../src/train/loop.ts';
import { partSizes } from '../../../src/train/parallel/cut.ts';
import type { PartsOptions } from '../../../src/train/parallel/parted.ts';
import { maskVariables } from '../../../src/train/step/masks.ts';
import { createOptimizer } from '../../../src/train/optimizers/optimizers.ts';
import type { OptimizerConfig } from '../../../src/train/optimizers/optimizers.ts';
import { trainingProgram } from '../../../src/train/step/step.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { played } from '../../support/played.ts';
import type { TrainingOptions } from '../../../src/train/step/step.ts';

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const CLASSES = 3;
const task = classification(CLASSES);

interface Setup {
  readonly network: () => Network;
  readonly sample: readonly number[];
  readonly loss?: AnyLoss;
  readonly lossArgs?: Parameters<typeof createLoss>[1];
  readonly optimizer?: OptimizerConfig;
  readonly more?: (network: Network) => Partial<TrainingOptions>;
  readonly teacher?: Readonly<Record<string, number>>;
  readonly weighted?: boolean;
  /** Some samples have no label, some no answer of the teacher, one has neither. */
  readonly partial?: boolean;
  readonly hyper?: Readonly<Record<string, number>>;
  readonly batch?: number;
  readonly emaDecay?: number;
}

/** Weights and loss after two steps, the second with a smaller batch. */
async function trained(
  setup: Setup,
  samples: number | undefined,
  shared: Pick<PartsOptions, 'shards' | 'sharing' | 'syncBatchNorm'> = {},
): Promise<{ state: State; losses: number[] }> {
  const { loss: name = 'ce', optimizer: config = { type: 'adam' }, batch = 10, hyper = {} } = setup;
  const network = setup.network();
  const loss = createLoss(name, setup.lossArgs);
  const optimizer = createOptimizer(config, { ...network.trainable, ...loss.variables });
  const more = setup.more?.(network) ?? {};
  const options = (batchSize: number) => ({ network, task, loss, optimizer, batchSize, ...more });
  const mix = more.mix === 'partners' ? ('soft' as const) : 'none';
  const sizes = [batch, 7];
  const trainer = await Trainer.create({
    engine,
    program: (size) => trainingProgram(options(size)),
    ...(samples !== undefined && {
      parts: {
        ...{ samples, ...shared },
        gradient: (size: number) => gradientProgram({ ...options(size), mix }),
        update: (parts: Parameters<typeof updateProgram>[1]) => updateProgram(options(batch), parts),
      },
    }),
    batchSize: batch,
    task,
    stepsPerEpoch: 2,
    steps: 2,
    batches: (_, __, share) => sizes.map((n, i) => withShare(batchOf(setup, n, i), n, share)),
    optimizer,
    schedule: () => 0.05,
    hyper: () => ({ ...loss.hyper, ...hyper }),
    ...(setup.emaDecay !== undefined && { emaDecay: setup.emaDecay }),
    randomKey: [1, 'parts'],
  });
  const losses = [];
  for await (const metrics of trainer.run()) losses.push(metrics.loss, ...Object.values(metrics.parts), metrics.score!);
  const state = await trainer.state();
  await trainer.dispose();
  return { state, losses };
}

function batchOf(setup: Setup, n: number, index: number): TrainingBatch {
  const { sample, teacher = {}, weighted, more, network } = setup;
  const random = new RandomStream('parts', index);
  const numbers = (size: number): Float32Array => Float32Array.from({ length: n * size }, () => random.normal());
  const isMixed = more?.(network()).mix === 'partners';
  const batch = {
    x: numbers(sample.reduce((a, b) => a * b, 1)),
    targets: Int32Array.from({ length: n }, () => random.below(CLASSES)),
    ...(weighted === true && {
      weights: Float32Array.from({ length: n }, (_, i) => (i === 3 ? 0 : 0.2 + random.uniform())),
    }),
    teacher: {
      teacherLogits: numbers(CLASSES),
      ...Object.fromEntries(Object.entries(teacher).map(([name, size]) => [name, numbers(size)])),
    },
    ...(isMixed && {
      mix: {
        partners: Int32Array.from({ length: n }, (_, i) => n - 1 - i),
        lambda: Float32Array.from({ length: n }, () => random.uniform()),
      },
    }),
  };
  if (setup.partial !== true) return batch;
  const [label, answer] = [3, 4].map((every) => Float32Array.from({ length: n }, (_, i) => (i % every === 0 ? 0 : 1)));
  return withKnown(batch, { label: label!, answer: answer!, scored: label! });
}

/** The batch as a process is given it: without the samples that are not in its share. */
function withShare(batch: TrainingBatch, n: number, share: Share | undefined): TrainingBatch {
  const x = new Float32Array(batch.x.length).fill(NaN);
  const size = x.length / n;
  for (const i of neededOf(n, share)) x.set((batch.x as Float32Array).subarray(i * size, (i + 1) * size), i * size);
  return { ...batch, x };
}

/** The largest difference of two states, of what is trained relative to its size. */
function expectClose(a: State, b: State, tolerance = 2e-6): void {
  expect([...b.keys()].sort()).toEqual([...a.keys()].sort());
  for (const [name, { data }] of a) {
    const [one, two] = [data as Float32Array, b.get(name)!.data as Float32Array];
    const size = one.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const largest = one.reduce((most, value, i) => Math.max(most, Math.abs(value - two[i]!)), 0);
    expect([name, largest / size < tolerance, largest / size]).toEqual([name, true, largest / size]);
  }
}

async function weightsOf({ state }: Network) {
  const read = Object.entries(state).map(async ([name, variable]) => {
    const type = { dtype: 'float32' as const, shape: variable.shape };
    return [name, { type, data: (await variable.data()) as Float32Array }] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

const mlp = (options = {}): Network =>
  layersNetwork(
    buildModel('mlp', { inputShape: [6], classes: CLASSES, seed: 1, options: { hidden: [8], ...options } }),
  );
const HINT = {
  features: [{ student: 'dense1', teacher: 'inner', studentShape: [8], teacherShape: [5] }],
  hyper: { featureWeight: 1 },
};

const sgd = { type: 'momentum', weightDecay: 0.01 } as const;

const cases: Readonly<Record<string, Setup>> = {
  'cross-entropy': { network: mlp, sample: [6], optimizer: sgd },
  'samples of different weight, one of them 0': { network: mlp, sample: [6], optimizer: sgd, weighted: true },
  'samples without a label, without an answer and without either': {
    ...{ network: mlp, sample: [6], optimizer: sgd, loss: 'kd', weighted: true, partial: true },
    more: () => ({ partial: true }),
  },
  distillation: { network: mlp, sample: [6], optimizer: sgd, loss: 'kd', weighted: true },
  'dropout, whose masks follow the place in the batch': {
    network: () => mlp({ dropout: 0.5 }),
    sample: [6],
    optimizer: sgd,
  },
  mixup: { network: mlp, sample: [6], optimizer: sgd, loss: 'kd', more: () => ({ mix: 'partners' }) },
  'clipping, of the sum': { network: mlp, sample: [6], optimizer: { ...sgd, clipNorm: 0.1 } },
  'a scaled loss': { network: mlp, sample: [6], optimizer: sgd, more: () => ({ lossScale: new LossScale() }) },
  'masks and a moving average': {
    network: mlp,
    sample: [6],
    emaDecay: 0.5,
    optimizer: sgd,
    more: (network) => ({ ema: mlp(), masks: maskVariables(['dense1/kernel'], network) }),
  },
  'a loss of inner tensors with weights of its own': {
    network: mlp,
    sample: [6],
    loss: 'hint',
    optimizer: sgd,
    lossArgs: HINT,
    teacher: { 'teacher/inner': 5 },
  },
  'the same, of samples without a label': {
    network: mlp,
    sample: [6],
    loss: 'hint',
    optimizer: sgd,
    lossArgs: HINT,
    teacher: { 'teacher/inner': 5 },
    partial: true,
    more: () => ({ partial: true }),
  },
};

const penalized = (): Network => {
  const inputs = input({ shape: [6] });
  const dense = layers.dense({ name: 'd', units: CLASSES, kernelInitializer: 'ones', kernelRegularizer: 'l1l2' });
  return layersNetwork(layersModel({ inputs, outputs: dense.apply(inputs) as SymbolicTensor }));
};

/** One batch norm right behind the input: what it observes of a batch is known. */
const normed = (): Network => {
  const inputs = input({ shape: [6] });
  const norm = layers.batchNormalization({ name: 'bn', momentum: 0.9 }).apply(inputs) as SymbolicTensor;
  const dense = layers.dense({ name: 'd', units: CLASSES, kernelInitializer: 'ones' }).apply(norm) as SymbolicTensor;
  return layersNetwork(layersModel({ inputs, outputs: dense }));
};

describe('a batch in parts', () => {
  it.each(Object.keys(cases))('%s: the step of the whole batch up to rounding', async (name) => {
    const setup = cases[name]!;
    const [whole, parts] = [await trained(setup, undefined), await trained(setup, 4)];
    expectClose(whole.state, parts.state);
    parts.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5));
  });

  it("penalties of the model's weights count once", async () => {
    const setup = { network: penalized, sample: [6], optimizer: sgd };
    for (const more of [{}, { more: () => ({ lossScale: new LossScale() }) }]) {
      const [whole, parts] = [await trained({ ...setup, ...more }, undefined), await trained({ ...setup, ...more }, 4)];
      expectClose(whole.state, parts.state);
    }
  });

  it('ranges that are observed are those of the whole batch', async () => {
    const graph = inferenceGraph({ network: mlp(), weights: new Map(Object.entries(await weightsOf(mlp()))) }, []);
    const quantization = new Map(
      [...graph.types.keys()].map((name) => [name, { scales: [0.05], zeroPoints: [0] }] as const),
    );
    const setup = {
      network: () => new FakeQuantizedNetwork(graph, quantization as unknown as Quantization),
      sample: [6],
      optimizer: sgd,
      hyper: { rangeRate: 0.1 },
    };
    const [whole, parts] = [await trained(setup, undefined), await trained(setup, 4)];
    expect([...(whole.state.get('range/low')!.data as Float32Array)].some((value) => value < 0)).toBe(true);
    for (const name of ['range/low', 'range/high'])
      expectClose(new Map([[name, whole.state.get(name)!]]), new Map([[name, parts.state.get(name)!]]));
  });

  it('batch norms normalize each part by itself, and observe its statistics as often as those of a whole batch', async () => {
    const setup = { network: normed, sample: [6], optimizer: sgd };
    const [whole, parts] = [await trained(setup, undefined), await trained(setup, 4)];
    const of = ({ state }: typeof whole, name: string) => new Map([[name, state.get(name)!]]);
    // Means of parts add up to those of the batch, variances within parts leave out those between them.
    expectClose(of(whole, 'bn/moving_mean'), of(parts, 'bn/moving_mean'));
    const sum = ({ state }: typeof whole) =>
      (state.get('bn/moving_variance')!.data as Float32Array).reduce((a, b) => a + b);
    expect(sum(parts)).toBeLessThan(0.99 * sum(whole));
    expect(sum(parts)).toBeGreaterThan(0.8 * sum(whole));
  });

  it('two trainings end with the same bytes', async () => {
    const setup = cases['masks and a moving average']!;
    const [a, b] = [await trained(setup, 4), await trained(setup, 4)];
    expect(Object.fromEntries(a.state)).toEqual(Object.fromEntries(b.state));
  });
});

/** Convolutions with a batch norm each, two of them at one depth, whose outputs meet; a norm behind a dense layer; dropout between. */
const branched = (): Network => {
  const inputs = input({ shape: [4, 4, 2] });
  const of = (x: SymbolicTensor, name: string, filters = 3): SymbolicTensor => {
    const made = { name, filters, kernelSize: 3, padding: 'same', useBias: false } as const;
    const kernelInitializer = initializers.glorotUniform({ seed: name.length });
    const conv = layers.conv2d({ ...made, kernelInitializer }).apply(x);
    return layers.batchNormalization({ name: `${name}_bn`, momentum: 0.9 }).apply(conv) as SymbolicTensor;
  };
  const relu = (x: SymbolicTensor): SymbolicTensor => layers.reLU().apply(x) as SymbolicTensor;
  const stem = relu(of(inputs, 'stem'));
  const sum = layers.add().apply([of(relu(of(stem, 'long')), 'longer'), of(stem, 'short')]) as SymbolicTensor;
  const flat = layers.dropout({ rate: 0.3, seed: 1 }).apply(layers.flatten().apply(relu(sum))) as SymbolicTensor;
  const kernelInitializer = initializers.glorotUniform({ seed: 9 });
  const dense = layers
    .dense({ name: 'd', units: CLASSES, useBias: false, kernelInitializer })
    .apply(flat) as SymbolicTensor;
  return layersNetwork(
    layersModel({ inputs, outputs: layers.batchNormalization({ name: 'end' }).apply(dense) as SymbolicTensor }),
  );
};

describe('batch norms of the whole batch', () => {
  const setup: Setup = { network: branched, sample: [4, 4, 2], optimizer: sgd, loss: 'kd', weighted: true };
  const synced = { shards: 4, syncBatchNorm: true };

  it('the step of the whole batch up to rounding', async () => {
    const [whole, parts] = [await trained(setup, undefined), await trained(setup, 10, synced)];
    expectClose(whole.state, parts.state, 1e-5);
    parts.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5));
    // What it is for: without it the norms are those of a part.
    const apart = await trained(setup, 10, { shards: 4 });
    expect(() => expectClose(whole.state, apart.state, 1e-3)).toThrow();
  });

  it('three processes end with the bytes of one', async () => {
    // Of one norm: what is played begins anew for each sum that they share.
    const short = { ...setup, network: normed, sample: [6] };
    const alone = await trained(short, 10, synced);
    for (const one of await played(3, (group) => trained(short, 10, { ...synced, sharing: sharingIn(group) }))) {
      expect(Object.fromEntries(one.state)).toEqual(Object.fromEntries(alone.state));
      expect(one.losses).toEqual(alone.losses);
    }
  });
});

describe('processes that share the parts of a batch', () => {
  it.each([
    ['masks and a moving average', 2],
    ['a scaled loss', 2],
    ['dropout, whose masks follow the place in the batch', 3],
    ['a loss of inner tensors with weights of its own', 4],
  ])('%s: %i of them end with the bytes of one', async (name, size) => {
    const setup = cases[name]!;
    // Ten samples in four shards; three processes have two, two and none of them.
    const alone = await trained(setup, 10, { shards: 4 });
    for (const one of await played(size, (group) => trained(setup, 10, { shards: 4, sharing: sharingIn(group) }))) {
      expect(Object.fromEntries(one.state)).toEqual(Object.fromEntries(alone.state));
      expect(one.losses).toEqual(alone.losses);
    }
  });
});

describe('processes that divide the update', () => {
  it.each([
    ['masks and a moving average', 2, true],
    ['masks and a moving average', 3, false],
    // What clips needs all gradients, and a scale whether all of them are finite: nothing is divided.
    ['clipping, of the sum', 2, true],
    ['a scaled loss', 2, true],
    ['a loss of inner tensors with weights of its own', 2, true],
  ])('%s: %i of them end with the bytes of one, in shared memory: %s', async (name, size, sharing) => {
    const setup: Setup = { ...cases[name]!, ...(name.startsWith('masks') && { optimizer: { type: 'adam' } }) };
    const alone = await trained(setup, 10, { shards: 4 });
    for (const one of await played(
      size,
      (group) => trained(setup, 10, { shards: 4, sharing: sharingIn(group, { leastDivided: 0 }) }),
      { sharing },
    )) {
      expect(Object.fromEntries(one.state)).toEqual(Object.fromEntries(alone.state));
      expect(one.losses).toEqual(alone.losses);
    }
  });
});

describe('the parts of a batch', () => {
  it.each([
    [10, 4, [4, 3, 3]],
    [128, 32, [32, 32, 32, 32]],
    [7, 7, [7]],
    [5, 1, [1, 1, 1, 1, 1]],
    [33, 32, [17, 16]],
  ])('%i samples, %i at most', (samples, most, sizes) => {
    expect(partSizes(samples, most)).toEqual(sizes);
  });
});
