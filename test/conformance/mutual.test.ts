import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../src/base/random.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { PEER_PREFIX } from '../../src/train/step/step.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../src/runtime/onnxruntime/engine.ts';
import type { CompiledStep, State } from '../../src/runtime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { fedTo } from '../../src/train/step/batch.ts';
import type { TrainingBatch } from '../../src/train/step/batch.ts';
import { gradientProgram } from '../../src/train/step/gradient.ts';
import type { OptimizerConfig } from '../../src/train/optimizers/optimizers.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { pairTrainer } from '../methods/mutual/pair.ts';
import type { PairSetup } from '../methods/mutual/pair.ts';
import { runPython } from './python.ts';

const [BATCH, SIZE, CLASSES, STEPS] = [16, 12, 5, 5];

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

/** Dense layers with a batch norm between them; the two students are of different widths. */
function network(seed: number, hidden: number): ModelNetwork {
  const kernelInitializer = (at: number) => initializers.glorotNormal({ seed: 10 * seed + at });
  return layersNetwork(
    sequential({
      layers: [
        layers.dense({
          name: 'hidden',
          units: hidden,
          inputShape: [SIZE],
          activation: 'relu',
          kernelInitializer: kernelInitializer(1),
        }),
        layers.batchNormalization({ name: 'bn', momentum: 0.9, epsilon: 1e-3 }),
        layers.dense({ name: 'logits', units: CLASSES, kernelInitializer: kernelInitializer(2) }),
      ],
    }),
  );
}

const batches = Array.from({ length: STEPS }, (_, index): TrainingBatch => {
  const random = new RandomStream('mutual', index);
  return {
    x: Float32Array.from({ length: BATCH * SIZE }, () => random.normal()),
    targets: Int32Array.from({ length: BATCH }, () => random.below(CLASSES)),
    weights: Float32Array.from({ length: BATCH }, () => 0.5 + random.uniform()),
  };
});

const cases: readonly (readonly [string, OptimizerConfig, number, Readonly<Record<string, number>>])[] = [
  ['as in the paper, by gradient descent', { type: 'sgd' }, 0.1, {}],
  ['softened and weighed, with momentum and labels smoothed', { type: 'momentum' }, 0.05, { temperature: 3, peerWeight: 0.5, labelSmoothing: 0.1 }], // prettier-ignore
];

const plain = (state: State): Record<string, { shape: readonly number[]; data: number[] }> =>
  Object.fromEntries(
    [...state].map(([name, { type, data }]) => [
      name,
      { shape: type.shape as number[], data: [...(data as Float32Array)] },
    ]),
  );

interface Expected {
  readonly losses: readonly [number, number];
  readonly gradients: Readonly<Record<string, number[]>>;
  readonly weights: Readonly<Record<string, number[]>>;
}

function python(given: object): Expected {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'case.json'), JSON.stringify(given));
    return runPython('mutual_check.py', folder) as Expected;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Largest difference relative to the largest value. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  const size = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / size;
}

/** Loss and gradients of one student on a batch, from this state. */
async function differentiated(program: StepProgram, state: State, feeds: Parameters<typeof fedTo>[1]) {
  const step: CompiledStep = await engine.compile(program);
  await step.load(new Map([...state].filter(([name]) => name in program.state)));
  const one = Float32Array.of(1);
  const results = await step.run(fedTo(step, { ...feeds, share: one, samples: one }), 0);
  const found = Object.fromEntries(
    Object.entries(results).map(([name, values]) => [name, (values as Float32Array).slice()]),
  );
  await step.dispose();
  return found;
}

it.each(cases)('two students that teach each other are those of PyTorch: %s', async (_, optimizer, rate, hyper) => {
  const setup: PairSetup = {
    ...{ student: () => network(1, 9), peer: () => network(2, 14) },
    ...{ optimizer, rate, hyper, classes: CLASSES },
  };
  const { trainer, pair } = await pairTrainer(engine, setup, batches);
  const initial = await trainer.state();
  const first: number[] = [];
  let updated: State | undefined;
  for await (const { loss, parts } of trainer.run()) {
    if (updated === undefined) first.push(loss, parts['peer']!);
    updated ??= await trainer.state();
  }
  const state = await trainer.state();
  await trainer.dispose();

  const given = batches.map(({ x, targets, weights }) => ({
    x: [...x].map(Number),
    y: [...targets],
    w: [...weights!],
  }));
  const numbers = { temperature: 1, peerWeight: 1, labelSmoothing: 0, ...hyper };
  const of = python({ state: plain(initial), batches: given, hyper: numbers, rate, optimizer: optimizer.type });

  // The peer's gradient is taken when the student has been updated.
  const { x, targets, weights } = batches[0]!;
  const scalars = Object.entries(numbers).map(([name, value]) => [`hyper/${name}`, Float32Array.of(value)] as const);
  const feeds = { x, labels: targets, weights: weights!, ...Object.fromEntries(scalars) };
  const between = new Map([...initial].map(([name, value]) => [name, name.startsWith(PEER_PREFIX) ? value : updated!.get(name)!] as const)); // prettier-ignore
  const mine = await differentiated(gradientProgram({ ...pair.own, batchSize: BATCH }), initial, feeds);
  const its = await differentiated(gradientProgram({ ...pair.peer, batchSize: BATCH }), between, feeds);

  const worst = {
    losses: Math.max(...[...first, mine['loss']![0]!, its['loss']![0]!].map((loss, i) => difference([loss], [of.losses[i % 2]!]))), // prettier-ignore
    gradients: Math.max(...Object.entries(of.gradients).map(([name, values]) => difference((name.startsWith(PEER_PREFIX) ? its : mine)[`gradient/${name}`]!, values))), // prettier-ignore
    weights: Math.max(...Object.entries(of.weights).map(([name, values]) => difference(state.get(name)!.data as Float32Array, values))), // prettier-ignore
  };
  expect(Object.keys(of.gradients)).toHaveLength(12);
  expect(Object.keys(of.weights)).toHaveLength(16);
  process.stdout.write(`relative error of ${optimizer.type}: ${JSON.stringify(worst)}\n`);
  for (const error of Object.values(worst)) expect(error).toBeLessThan(1e-5);
});
