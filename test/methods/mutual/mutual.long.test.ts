import { RandomStream } from '../../../src/base/random.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { sharingIn } from '../../../src/run/processes/processes.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import type { State } from '../../../src/runtime/engine.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import type { TrainingBatch } from '../../../src/train/step/batch.ts';
import type { PartsOptions } from '../../../src/train/parallel/parted.ts';
import { CLASSES, pairTrainer } from './pair.ts';
import type { PairSetup } from './pair.ts';
import { played } from '../../support/played.ts';

beforeAll(() => useLazyBackend(evaluator));

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const SAMPLE = [6, 6, 1];

const of = (model: string, seed: number, options: object) => (): ModelNetwork =>
  layersNetwork(buildModel(model, { inputShape: SAMPLE, classes: CLASSES, seed, options: { ...options } }));
/** A peer of another kind: nothing but inputs and answers are alike. */
const dense = { student: of('mlp', 1, { hidden: [8], dropout: 0.3 }), peer: of('mlp', 2, { hidden: [12] }) };
const normed = { student: of('ds-cnn', 1, { width: 0.25 }), peer: of('mlp', 2, { hidden: [12] }) };
const momentum = { optimizer: { type: 'momentum', weightDecay: 0.01, clipNorm: 1 }, rate: 0.05 } as const;

const setups: Readonly<Record<string, PairSetup>> = {
  'dropout and another kind of network': { ...dense, ...momentum },
  'a moving average and mixed samples': { ...dense, ...momentum, ema: 0.5, mixed: true },
  'a scaled loss': { ...dense, ...momentum, scaled: true },
};

/** Ten samples, then seven. */
const batches = (isMixed: boolean): TrainingBatch[] =>
  [10, 7].map((n, index) => {
    const random = new RandomStream('pair in parts', index);
    return {
      x: Float32Array.from({ length: n * 36 }, () => random.normal()),
      targets: Int32Array.from({ length: n }, () => random.below(CLASSES)),
      weights: Float32Array.from({ length: n }, (_, i) => (i === 3 ? 0 : 0.2 + random.uniform())),
      ...(isMixed && {
        mix: {
          partners: Int32Array.from({ length: n }, (_, i) => n - 1 - i),
          lambda: Float32Array.from({ length: n }, () => random.uniform()),
        },
      }),
    };
  });

type Cut = Omit<PartsOptions, 'gradient' | 'update'>;

async function trained(setup: PairSetup, cut?: Cut, on = engine): Promise<{ state: State; losses: number[] }> {
  const { trainer } = await pairTrainer(on, setup, batches(setup.mixed === true), cut);
  const losses = [];
  for await (const { loss, parts } of trainer.run()) losses.push(loss, ...Object.values(parts));
  const state = await trainer.state();
  await trainer.dispose();
  return { state, losses };
}

function expectClose(a: State, b: State, tolerance: number): void {
  expect([...b.keys()].sort()).toEqual([...a.keys()].sort());
  for (const [name, { data }] of a) {
    const [one, two] = [data as Float32Array, b.get(name)!.data as Float32Array];
    const size = one.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const worst = one.reduce((most, value, i) => Math.max(most, Math.abs(value - two[i]!)), 0) / size;
    expect([name, worst < tolerance, worst]).toEqual([name, true, worst]);
  }
}

const names = Object.keys(setups);

it.each(names)('%s: in parts the steps of whole batches, up to rounding', async (name) => {
  const [whole, parts] = [await trained(setups[name]!), await trained(setups[name]!, { samples: 4 })];
  expectClose(whole.state, parts.state, 5e-6);
  parts.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5));
});

it.each(names)('%s: two processes end with the bytes of one', async (name) => {
  const cut = { samples: 10, shards: 4 };
  const alone = await trained(setups[name]!, cut);
  for (const one of await played(2, (group) => trained(setups[name]!, { ...cut, sharing: sharingIn(group) }))) {
    expect(Object.fromEntries(one.state)).toEqual(Object.fromEntries(alone.state));
    expect(one.losses).toEqual(alone.losses);
  }
});

it('batch norms by the whole batch, of a student and of what it answers to its peer', async () => {
  const setup = { ...normed, ...momentum };
  const synced = { samples: 10, shards: 4, syncBatchNorm: true };
  const [whole, parts] = [await trained(setup), await trained(setup, synced)];
  expectClose(whole.state, parts.state, 2e-5);
  const apart = await trained(setup, { samples: 10, shards: 4 });
  expect(() => expectClose(whole.state, apart.state, 1e-3)).toThrow();
});

it('updates of both in one pass over memory give the bits that ONNX Runtime gives node by node', async () => {
  const setup = { ...setups['a moving average and mixed samples']!, optimizer: { type: 'adamw' } } as const;
  const apart = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, fused: false });
  for (const cut of [undefined, { samples: 4 }]) {
    const [fused, plain] = [await trained(setup, cut), await trained(setup, cut, apart)];
    expect(Object.fromEntries(fused.state)).toEqual(Object.fromEntries(plain.state));
  }
});
