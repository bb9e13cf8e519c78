import { FakeQuantizedNetwork } from '../../compress/quantize/qat/network.ts';
import { qatEvaluationProgram, qatTrainingProgram, RANGE_RATE } from '../../compress/quantize/qat/program.ts';
import { RandomStream } from '../../base/random.ts';
import { batchCount, batches } from '../../data/batches.ts';
import type { Batch } from '../../data/batches.ts';
import { Prefetcher } from '../../data/prefetch.ts';
import { createLoss, losses } from '../../distill/losses/registry.ts';
import type { AnyLoss } from '../../distill/losses/registry.ts';
import type { Skipped } from '../../formats/skipped.ts';
import type { Quantization } from '../../graph/quantization.ts';
import { usualQat } from '../../recipe/schema/compress.ts';
import type { Int8Recipe } from '../../recipe/schema/compress.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { State } from '../../runtime/engine.ts';
import { Evaluator } from '../../train/evaluate.ts';
import { Trainer } from '../../train/loop.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { createSchedule } from '../../train/schedules.ts';
import type { StageContext } from '../context.ts';
import { epochOptions } from '../fit.ts';
import { finishedTraining, train } from '../training.ts';
import type { TrainingResult } from '../training.ts';
import type { Answers } from './answer.ts';
import type { ExportedModel } from './export.ts';
import { numbersOf } from './student.ts';

/** Ranges of activations on samples of the training split, and scales of weights. */
export type Calibrate = (graph: ExportedModel['graph']) => Promise<{ result: Quantization; skipped: Skipped[] }>;

export interface QatStep {
  readonly stage: string;
  readonly step: Int8Recipe;
  /** Of this step: another order of the samples than the trainings before had. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  /** Layers that are trained and exported in float. */
  readonly keepFloat: (layer: string) => boolean;
  readonly calibrate: Calibrate;
}

export interface TrainedForInt8 {
  /** The model with its new weights, and what the training graph says with them. */
  readonly model: ExportedModel;
  readonly quantization: Quantization;
  readonly skipped: readonly Skipped[];
}

/**
 * Trains the inference graph of a model on as int8 computes it, with the teacher it had, from the ranges that calibration
 * gives. Its weights and ranges are those of the epoch that was best on the validation split.
 */
export async function trainForInt8(context: StageContext, from: ExportedModel, qat: QatStep): Promise<TrainedForInt8> {
  const { stage, step } = qat;
  context.onEvent({ type: 'stage', stage });
  const { result: calibrated, skipped } = await qat.calibrate(from.graph);
  const network = new FakeQuantizedNetwork(from.graph, calibrated, { keepFloat: qat.keepFloat });
  try {
    const trained = await fitNetwork(context, network, qat);
    const { validation, bestEpoch, epochs, seconds, weights } = trained;
    const drop = 100 * (from.trained.validation - validation);
    const figures = { accuracy: { validation }, params: from.params, macs: from.macs };
    await context.done(stage, seconds, figures, {
      bestEpoch,
      epochs,
      drop,
      method: 'qat',
      scheme: step.scheme,
      skipped,
    });

    const { graph, activations } = network.exported(weights);
    // Some activations only one of the file formats rounds: those keep a range of their own.
    const again = await qat.calibrate(graph);
    const quantization = new Map([...again.result, ...activations]);
    const logits = await simulated(context, network, weights, from.reference);
    const model = {
      ...from,
      graph,
      stage,
      trained: { ...from.trained, validation, bestEpoch, epochs, seconds },
      reference: { ...from.reference, logits },
    };
    return { model, quantization, skipped };
  } finally {
    network.dispose();
  }
}

const EVALUATION_BATCH = 256;

/** Of losses that have one: quantized students learn better from a low temperature. */
const QAT_TEMPERATURE = 1;

async function fitNetwork(
  context: StageContext,
  network: FakeQuantizedNetwork,
  { stage, step, number, lessons }: QatStep,
): Promise<TrainingResult> {
  const { engine, data, recipe } = context;
  const qat = step.qat ?? usualQat;
  const { batchSize } = recipe.distill;
  const stepsPerEpoch = batchCount(data.train.count, batchSize);
  const steps = Math.max(1, Math.round(qat.epochs * stepsPerEpoch));
  const states = context.states(stage);
  const finished = finishedTraining(await states.load(), steps, {});
  if (finished !== undefined) return finished;
  const seed = new RandomStream(recipe.seed, 'qat', number).uint32();
  const name = lossOf(recipe, lessons);
  const numbers = numbersOf(recipe, name);
  const loss = createLoss(name, {
    hyper: { ...numbers, ...('temperature' in numbers && { temperature: qat.temperature ?? QAT_TEMPERATURE }) },
    seed,
  });
  const optimizer = createOptimizer(qat.optimizer, { ...network.trainable, ...loss.variables });
  const hasMixup = recipe.dataset.augment.some((augmentation) => 'mixup' in augmentation);
  const prefetcher = new Prefetcher(data.train);
  const withAnswers = async (batch: Batch) => ({
    ...batch,
    teacher: (await lessons?.answers.answersFor(batch)) ?? {},
  });
  const frozenFrom = Math.round(qat.freezeAfter * steps);
  const trainer = await Trainer.create({
    engine,
    program: (size) =>
      qatTrainingProgram({ network, loss, optimizer, batchSize: size, targets: hasMixup ? 'mixup' : 'classes' }),
    batchSize: Math.min(batchSize, data.train.count),
    classes: data.classNames.length,
    stepsPerEpoch,
    steps,
    batches: async function* (epoch, startBatch) {
      const order = epochOptions(recipe, { settings: recipe.distill, seed, views: lessons?.views }, epoch);
      for await (const batch of prefetcher.epoch({ ...order, startBatch, classWeights: data.classWeights })) {
        yield await withAnswers(batch);
      }
    },
    optimizer,
    schedule: createSchedule(qat.optimizer, { stepsPerEpoch, steps }),
    // Frozen is a matter of the step alone, so a resume cannot forget it.
    hyper: (at) => ({ ...loss.hyper, [RANGE_RATE]: at < frozenFrom ? 1 - qat.rangeDecay : 0 }),
    randomKey: [seed, stage],
  });
  const evaluator = new Evaluator({
    engine,
    program: (size) => qatEvaluationProgram({ network, batchSize: size }),
    classes: data.classNames.length,
    shareStateWith: trainer.compiled,
  });
  const order = { batchSize: EVALUATION_BATCH, seed, epoch: 0, shuffle: false };
  try {
    return await train({
      stage,
      title: `training the student with quantization, ranges frozen from step ${frozenFrom} of ${steps} on`,
      trainer,
      steps,
      stepsPerEpoch,
      validate: async () => (await evaluator.run(batches(data.validation, order))).accuracy,
      shipped: { names: Object.keys(network.variables), prefix: '' },
      states,
      onEvent: context.onEvent,
      signal: context.signal,
      saveEveryMs: context.saveEveryMs,
    });
  } finally {
    await evaluator.dispose();
    await trainer.dispose();
    await prefetcher.close();
  }
}

/** Inner tensors have no names any more once batch norms are folded: those losses give way to plain distillation. */
export function lossOf({ distill }: Recipe, lessons: Answers | undefined): AnyLoss {
  if (lessons === undefined) return 'ce';
  return losses[distill.loss].needs === 'features' ? 'kd' : distill.loss;
}

/** What the training graph says about the samples that the files are checked on. */
async function simulated(
  { engine }: StageContext,
  network: FakeQuantizedNetwork,
  weights: State,
  { x, shape }: ExportedModel['reference'],
): Promise<Float32Array> {
  const n = shape[0]!;
  const step = await engine.compile(qatEvaluationProgram({ network, batchSize: n, logits: true }));
  try {
    await step.load(weights);
    const { logits } = await step.run({ x, labels: new Int32Array(n), weights: new Float32Array(n).fill(1) });
    return (logits as Float32Array).slice();
  } finally {
    await step.dispose();
  }
}
