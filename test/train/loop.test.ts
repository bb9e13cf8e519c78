import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.ts';
import { createLoss } from '../support/losses.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import type { State } from '../../src/runtime/engine.ts';
import type { TrainingBatch } from '../../src/train/step/batch.ts';
import { Evaluator } from '../../src/train/evaluate/evaluate.ts';
import { Trainer, type Position, type StepMetrics } from '../../src/train/loop.ts';
import { withKnown } from '../../src/train/step/known.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { createSchedule } from '../../src/train/optimizers/schedules.ts';
import { evaluationProgram } from '../../src/train/evaluate/inference.ts';
import { scoreOfTotals } from '../../src/train/evaluate/totals.ts';
import { trainingProgram } from '../../src/train/step/step.ts';
import { useCpu } from '../support/cpu.ts';
import { eagerEngine } from '../support/eager-engine.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { twoFeatures } from '../support/two-features.ts';

beforeAll(useCpu);

const [SAMPLES, BATCH, EPOCHS] = [22, 4, 3];
const STEPS_PER_EPOCH = Math.ceil(SAMPLES / BATCH);

const { features, labels, batchesFrom } = twoFeatures(SAMPLES, BATCH, 'loop test');

interface Setup {
  readonly learningRate?: number;
  readonly batches?: (epoch: number, start: number) => Iterable<TrainingBatch>;
  readonly steps?: number;
  readonly partial?: boolean;
}

function create({ learningRate = 0.5, batches = (_, start) => batchesFrom(start), steps, partial }: Setup = {}) {
  const model = buildModel('mlp', { inputShape: [2], classes: 2, seed: 3, options: { hidden: [6] } });
  const loss = createLoss(partial === true ? 'kd' : 'ce');
  const optimizer = createOptimizer({ type: 'momentum' }, layersNetwork(model).trainable);
  const length = { stepsPerEpoch: STEPS_PER_EPOCH, steps: steps ?? EPOCHS * STEPS_PER_EPOCH };
  const sizes: number[] = [];
  const trainer = Trainer.create({
    engine: eagerEngine,
    program: (batchSize) => {
      sizes.push(batchSize);
      const network = layersNetwork(model);
      return trainingProgram({ task: classification(2), network, loss, optimizer, batchSize, partial });
    },
    batchSize: BATCH,
    task: classification(2),
    ...length,
    batches,
    optimizer,
    schedule: createSchedule({ schedule: 'cosine', learningRate }, length),
    hyper: () => loss.hyper,
  });
  return { model, trainer, sizes };
}

async function drain(trainer: Trainer, steps = Infinity): Promise<StepMetrics[]> {
  const seen: StepMetrics[] = [];
  for await (const metrics of trainer.run()) {
    seen.push(metrics);
    if (seen.length === steps) break;
  }
  return seen;
}

const bytes = (state: State): Record<string, number[]> =>
  Object.fromEntries([...state].map(([name, { data }]) => [name, [...(data as Float32Array)]]));

describe('a training', () => {
  it('takes every step once, learns, and counts every sample of every epoch', async () => {
    const { trainer, sizes } = create();
    const metrics = await drain(await trainer);
    expect(metrics.map(({ position }) => position.step)).toEqual(metrics.map((_, i) => i + 1));
    expect(metrics).toHaveLength(EPOCHS * STEPS_PER_EPOCH);
    expect(metrics.map(({ samples }) => samples).slice(0, 6)).toEqual([4, 4, 4, 4, 4, 2]);
    const epochs = metrics.flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch]));
    expect(epochs.map(({ samples, weight }) => [samples, weight])).toEqual([
      [22, 22],
      [22, 22],
      [22, 22],
    ]);
    expect(epochs[2]!.loss).toBeLessThan(0.7 * epochs[0]!.loss);
    // The program for the last batch of an epoch is compiled once, when it is first needed.
    expect(sizes).toEqual([4, 2]);
  });

  it('weighs the smaller batch by its samples in the mean of the epoch', async () => {
    const { trainer } = create();
    const metrics = await drain(await trainer, STEPS_PER_EPOCH);
    const sum = metrics.reduce((total, { loss, samples }) => total + loss * samples, 0);
    expect(metrics.at(-1)!.epoch!.loss).toBeCloseTo(sum, 10);
  });

  it('has the score of those samples that are scored, whatever their number in a batch', async () => {
    /** The score of an epoch in which nothing is learned, over the samples that it is asked about. */
    const scored = async (isAsked: (sample: number) => boolean): Promise<number> => {
      const trainer = await create({
        ...{ learningRate: 0, partial: true },
        *batches() {
          let at = 0;
          for (const batch of batchesFrom(0)) {
            const n = batch.targets.length;
            const label = new Float32Array(n).fill(1);
            const asked = label.map((_, i) => Number(isAsked(at + i)));
            const teacher = { teacherLogits: new Float32Array(2 * n) };
            yield withKnown({ ...batch, teacher }, { label, answer: new Float32Array(n), scored: asked });
            at += n;
          }
        },
      }).trainer;
      return scoreOfTotals((await drain(trainer, STEPS_PER_EPOCH)).at(-1)!.epoch!, classification(2))!;
    };
    const few = [0, 1, 2, 3, 4, 9, 21];
    const each = await Promise.all(few.map((sample) => scored((one) => one === sample)));
    expect([...new Set(each)].sort()).toEqual([0, 1]);
    const mean = each.reduce((sum, score) => sum + score, 0) / few.length;
    expect(await scored((sample) => few.includes(sample))).toBeCloseTo(mean, 10);
  });

  it.each([1, 5, 6, 7, 13])('continues after %i steps as if it had not stopped', async (steps) => {
    const whole = await create().trainer;
    const all = await drain(whole);
    const first = await create().trainer;
    await drain(first, steps);
    const saved: { state: State; position: Position } = {
      state: await first.state(),
      position: JSON.parse(JSON.stringify(first.position)) as Position,
    };
    const second = await create().trainer;
    await second.resume(saved.state, saved.position);
    expect(await drain(second)).toEqual(all.slice(steps));
    expect(bytes(await second.state())).toEqual(bytes(await whole.state()));
  });

  it('finishes the step and stops when the signal fires', async () => {
    const trainer = await create().trainer;
    const abort = new AbortController();
    let steps = 0;
    for await (const { position } of trainer.run({ signal: abort.signal })) {
      steps++;
      if (position.step === 4) abort.abort();
    }
    expect(steps).toBe(4);
    expect(trainer.position).toMatchObject({ epoch: 0, batch: 4, step: 4 });
  });

  it('stops in mid-epoch when the steps are done', async () => {
    const trainer = await create({ steps: 8 }).trainer;
    expect(await drain(trainer)).toHaveLength(8);
    expect(trainer.position).toMatchObject({ epoch: 1, batch: 2 });
  });
});

describe('what goes wrong', () => {
  const failure = async (setup: Setup): Promise<UserError> => {
    const trainer = await create(setup).trainer;
    return drain(trainer).then(
      () => {
        throw new Error('nothing was thrown');
      },
      (error: unknown) => error as UserError,
    );
  };

  it('a loss that is no number names the step and the last finite loss', async () => {
    const poisoned = function* (_epoch: number, start: number): Generator<TrainingBatch> {
      let index = start;
      for (const batch of batchesFrom(start)) {
        yield index++ === 2 ? { ...batch, x: new Float32Array(batch.x.length).fill(NaN) } : batch;
      }
    };
    const error = await failure({ batches: poisoned });
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/^epoch 1, batch 3 \(step 3\): the loss is NaN; the last finite loss was \d\.\d+$/);
    expect(error.hint).toContain('learningRate');
  });

  it('points at the data when the first loss is no number', async () => {
    const nan = (): TrainingBatch[] => [{ x: new Float32Array(8).fill(NaN), targets: labels.slice(0, 4) }];
    const error = await failure({ batches: nan });
    expect(error.message).toContain('it was the first step');
    expect(error.hint).toContain('data');
  });

  it.each([-1, 2])('the label %i is out of range before any step is taken', async (label) => {
    const bad = (): TrainingBatch[] => [{ x: new Float32Array(8), targets: Int32Array.of(0, 1, label, 1) }];
    const error = await failure({ batches: bad });
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toBe(
      `epoch 1, batch 1: the label of sample 2 is ${label}, and the model has the classes 0 … 1`,
    );
  });

  it('a source that ends early is our bug', async () => {
    const error = await failure({ batches: () => [...batchesFrom(0)].slice(0, 2) });
    expect(error).not.toBeInstanceOf(UserError);
    expect(error.message).toBe('epoch 1 ended after 2 of 6 batches');
  });
});

it('a moving average follows faster while it is young, as that of TensorFlow with num_updates', async () => {
  const seen: number[] = [];
  const made = (seed: number) =>
    layersNetwork(buildModel('mlp', { inputShape: [2], classes: 2, seed, options: { hidden: [6] } }));
  const [model, averaged] = [made(3), made(4)];
  const task = classification(2);
  const loss = createLoss('ce');
  const optimizer = createOptimizer({ type: 'sgd' }, model.trainable);
  const trainer = await Trainer.create({
    engine: {
      ...eagerEngine,
      compile: async (program, options) => {
        const step = await eagerEngine.compile(program, options);
        const run = step.run.bind(step);
        return Object.assign(step, {
          run: (feeds: Parameters<typeof run>[0], ...rest: [number?]) => {
            seen.push(feeds['emaDecay']![0] as number);
            return run(feeds, ...rest);
          },
        });
      },
    },
    program: (batchSize) => trainingProgram({ task, network: model, loss, optimizer, batchSize, ema: averaged }),
    ...{ batchSize: BATCH, task, optimizer, stepsPerEpoch: STEPS_PER_EPOCH, steps: 4, emaDecay: 0.2 },
    batches: (_, start) => batchesFrom(start),
    schedule: () => 0.1,
    hyper: () => loss.hyper,
  });
  await drain(trainer);
  expect(seen.map((decay) => decay.toFixed(4))).toEqual(['0.1000', '0.1818', '0.2000', '0.2000']);
});

describe('evaluation', () => {
  it('is the same in batches of any size', async () => {
    const { model } = create();
    const evaluate = async (size: number): Promise<unknown> => {
      const evaluator = new Evaluator({
        engine: eagerEngine,
        program: (batchSize) =>
          evaluationProgram({ task: classification(2), network: layersNetwork(model), batchSize }),
        task: classification(2),
      });
      const parts: TrainingBatch[] = [];
      for (let i = 0; i < SAMPLES; i += size) {
        const end = Math.min(SAMPLES, i + size);
        parts.push({ x: features.slice(2 * i, 2 * end), targets: labels.slice(i, end) });
      }
      const { loss, ...rest } = await evaluator.run({
        count: parts.length,
        size: Math.min(size, SAMPLES),
        batch: (i) => parts[i]!,
      });
      return { ...rest, loss: loss.toFixed(5) };
    };
    const whole = await evaluate(SAMPLES);
    expect(await evaluate(5)).toEqual(whole);
    expect(whole).toMatchObject({ samples: SAMPLES, loss: expect.stringMatching(/^\d+\.\d+$/) as string });
    expect((whole as { score: number }).score).toBeGreaterThan(0);
  });

  it('is refused where the answers are no numbers, which would be scored as those of the first class', async () => {
    const { model } = create();
    model.setWeights(model.getWeights().map((weight) => tf.fill(weight.shape, NaN)));
    const task = classification(2);
    const program = (batchSize: number) => evaluationProgram({ task, network: layersNetwork(model), batchSize });
    const evaluator = new Evaluator({ engine: eagerEngine, program, task });
    const batch = (): TrainingBatch => ({ x: features, targets: labels });
    await expect(evaluator.run({ count: 1, size: SAMPLES, batch })).rejects.toThrow(
      new UserError(`the loss of the model on ${SAMPLES} samples of the validation split is NaN, expected a finite number`, ''),
    );
  }); // prettier-ignore
});
