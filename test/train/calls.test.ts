import { createLoss } from '../support/losses.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { Trainer, type StepMetrics } from '../../src/train/loop.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { twoFeatures } from '../support/two-features.ts';

beforeAll(() => useLazyBackend(evaluator));

const [SAMPLES, BATCH, EPOCHS] = [38, 4, 3];
const STEPS_PER_EPOCH = Math.ceil(SAMPLES / BATCH);
const { batchesFrom } = twoFeatures(SAMPLES, BATCH, 'calls test');

/** A training that hands over so many steps at once, and where before step 6 and 7 a weight is made zero from outside. */
async function create(stepsPerCall: number): Promise<Trainer> {
  const model = buildModel('mlp', { inputShape: [2], classes: 2, seed: 3, options: { hidden: [6], dropout: 0.2 } });
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'adam' }, layersNetwork(model).trainable);
  return Trainer.create({
    engine: createOnnxRuntimeEngine({ device: 'cpu', stepsPerCall }),
    program: (batchSize) =>
      trainingProgram({ task: classification(2), network: layersNetwork(model), loss, optimizer, batchSize }),
    batchSize: BATCH,
    task: classification(2),
    stepsPerEpoch: STEPS_PER_EPOCH,
    steps: EPOCHS * STEPS_PER_EPOCH - 2,
    batches: (_, start) => batchesFrom(start),
    optimizer,
    schedule: (step) => 0.05 / (1 + step),
    hyper: () => loss.hyper,
    randomKey: [7],
    prepare: {
      changesAt: (step) => step === 6 || step === 7,
      change: async (_step, compiled) => {
        const [name, { type, data }] = [...(await compiled.state())][0]!;
        await compiled.load(new Map([[name, { type, data: (data as Float32Array).map((v, i) => (i === 0 ? 0 : v)) }]]));
      },
    },
  });
}

async function all(trainer: Trainer): Promise<{ metrics: StepMetrics[]; ends: number[]; state: unknown }> {
  const metrics: StepMetrics[] = [];
  const ends = new Set<number>();
  for await (const step of trainer.run()) {
    metrics.push(step);
    ends.add(trainer.position.step);
  }
  const state = await trainer.state();
  await trainer.dispose();
  return { metrics, ends: [...ends], state };
}

describe('a training that hands over several steps at once', () => {
  it('gives the same metrics and bits, and ends calls at epochs, smaller batches and changes from outside', async () => {
    const one = await all(await create(1));
    const four = await all(await create(4));
    expect(one.metrics).toHaveLength(28);
    expect(four.metrics).toEqual(one.metrics);
    expect(four.state).toEqual(one.state);
    expect(one.ends).toEqual(one.metrics.map(({ position }) => position.step));
    expect(four.ends).toEqual([4, 6, 7, 9, 10, 14, 18, 19, 20, 24, 28]);
  });

  it('goes on from the end of any call as if it had not stopped', async () => {
    const whole = await all(await create(1));
    for (const stop of [4, 7, 14]) {
      const first = await create(4);
      for await (const { position } of first.run()) if (position.step === stop) break;
      expect(first.position.step).toBe(stop);
      const second = await create(3);
      await second.resume(await first.state(), first.position);
      const { metrics, state } = await all(second);
      expect(metrics).toEqual(whole.metrics.slice(stop));
      expect(state).toEqual(whole.state);
      await first.dispose();
    }
  });

  it('finishes the call and stops when the signal fires', async () => {
    const trainer = await create(4);
    const abort = new AbortController();
    const seen: number[] = [];
    for await (const { position } of trainer.run({ signal: abort.signal })) {
      seen.push(position.step);
      if (position.step === 2) abort.abort();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(trainer.position.step).toBe(4);
    await trainer.dispose();
  });
});
