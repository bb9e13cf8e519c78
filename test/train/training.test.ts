import { InterruptedError } from '../../src/base/errors.ts';
import { collectGarbage } from '../../src/base/process/memory.ts';
import type { Safetensors } from '../../src/formats/safetensors.ts';
import type { State } from '../../src/runtime/engine.ts';
import { accuracyScore } from '../../src/tasks/score.ts';
import { scoreOfTask } from '../../src/tasks/registry.ts';
import type { Position, StepMetrics, Trainer } from '../../src/train/loop.ts';
import { train } from '../../src/train/training.ts';
import type { TrainingRun } from '../../src/train/training.ts';

const TOTALS = { loss: 6, sums: { correct: 3 }, weight: 4, samples: 5 };

/** Steps whose only weight is their number; they end before step `until`. */
function stepping(steps: number, perEpoch: number, until = steps): Trainer {
  let step = 0;
  const position = (): Position => ({
    epoch: Math.floor(step / perEpoch),
    batch: step % perEpoch,
    step,
    totals: TOTALS,
  });
  const trainer = {
    get position() {
      return position();
    },
    settle: () => undefined,
    state: () => Promise.resolve(weightOf(step)),
    resume: (state: State, at: Position) => {
      expect(state).toEqual(weightOf(at.step));
      step = at.step;
      return Promise.resolve();
    },
    run: async function* (): AsyncGenerator<StepMetrics> {
      while (step < until) {
        step++;
        const ends = step % perEpoch === 0;
        const figures = { loss: 1, parts: {}, score: 0, learningRate: 0, samples: 5 };
        yield await Promise.resolve({ position: position(), ...figures, save: true, ...(ends && { epoch: TOTALS }) });
      }
    },
  };
  return trainer as unknown as Trainer;
}

const weightOf = (step: number): State =>
  new Map([['w', { type: { dtype: 'float32', shape: [1] }, data: Float32Array.of(step) }]]);

interface Setup extends Partial<Pick<TrainingRun, 'chooseFrom' | 'task' | 'validate'>> {
  readonly steps?: number;
  readonly until?: number;
  readonly validations: readonly number[];
}

/** A training of two steps an epoch with these scores on the validation split; its states stay in `store`. */
function training({ steps = 8, until, validations, ...rest }: Setup, store: { saved?: Safetensors } = {}) {
  const trainer = stepping(steps, 2, until);
  return train({
    ...{ stage: 'distill', title: 'training', trainer, steps, stepsPerEpoch: 2 },
    task: { score: accuracyScore, scoreOfSums: ({ correct }, weight) => correct! / weight },
    validate: () => Promise.resolve(validations[Math.ceil(trainer.position.step / 2) - 1]!),
    shipped: { names: ['w'], prefix: '' },
    states: {
      load: () => Promise.resolve(store.saved),
      remove: () => Promise.resolve(),
      save: (state) => {
        store.saved = state;
        return Promise.resolve();
      },
    },
    onEvent: () => undefined,
    saveEveryMs: 0,
    ...rest,
  });
}

describe('a training', () => {
  it('that goes on does not keep the state that it was saved in', async () => {
    const store: { saved?: Safetensors } = {};
    const validations = [0.5, 0.7, 0.7, 0.6];
    await expect(training({ validations, until: 3 }, store)).rejects.toThrow(InterruptedError);
    const saved = new WeakRef(store.saved!.tensors.get('state/w')!.data);
    const kept: boolean[] = [];
    const validate = async (): Promise<number> => {
      delete store.saved;
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      kept.push(saved.deref() !== undefined);
      return 0.5;
    };
    await training({ validations, validate }, store);
    expect(kept).toEqual([false, false, false]);
  });

  it('keeps the weights of the first of the best epochs, and has the means of each', async () => {
    const { weights, bestEpoch, validation, epochs } = await training({ validations: [0.5, 0.7, 0.7, 0.6] });
    expect([weights, bestEpoch, validation]).toEqual([weightOf(4), 2, 0.7]);
    expect(epochs[3]).toEqual({ epoch: 4, loss: 1.5, score: 0.75, validation: 0.6 });
  });

  it('takes the lowest error where that is the score', async () => {
    const task = { score: scoreOfTask('regression'), scoreOfSums: () => 0 };
    expect(await training({ validations: [5, 3, 4, 6], task })).toMatchObject({ bestEpoch: 2, validation: 3 });
  });

  it('does not choose an epoch that ended without a step', async () => {
    const validations = [0.9, 0.5, 0.7, 0.7];
    // Step 2 is the first one of the second epoch, and step 1 the last one of the first.
    expect(await training({ validations, chooseFrom: 2 })).toMatchObject({ bestEpoch: 3, weights: weightOf(6) });
    expect(await training({ validations, chooseFrom: 1 })).toMatchObject({ bestEpoch: 1, weights: weightOf(2) });
  });

  it('ends with a part of an epoch, which is validated too', async () => {
    const { epochs, bestEpoch } = await training({ steps: 3, validations: [0.5, 0.6] });
    expect(epochs.map(({ epoch, validation }) => [epoch, validation])).toEqual([
      [1, 0.5],
      [2, 0.6],
    ]);
    expect(bestEpoch).toBe(2);
  });

  it('goes on from its saved state with the best weights so far', async () => {
    const validations = [0.9, 0.5, 0.7, 0.7];
    const store: { saved?: Safetensors } = {};
    await expect(training({ validations, until: 5 }, store)).rejects.toThrow(
      new InterruptedError('stopped distill after step 5 of 8'),
    );
    const { seconds, dataSeconds, ...whole } = await training({ validations });
    expect(await training({ validations }, store)).toMatchObject(whole);
    expect([seconds >= 0, dataSeconds]).toEqual([true, 0]);
  });
});
