import { FakeQuantizedNetwork, RANGE_RATE } from '../../../compress/quantize/qat/network.ts';
import type { Calibrated } from '../../../compress/quantize/ptq.ts';
import { RandomStream } from '../../../base/random.ts';
import { labelledCount } from '../../../data/readers/labelled.ts';
import type { AnyLoss } from '../../../distill/losses/registry.ts';
import type { Skipped } from '../../../base/skipped.ts';
import type { Quantization } from '../../../graph/quantization.ts';
import { usualQat } from '../../../recipe/schema/compress.ts';
import type { Int8Recipe } from '../../../recipe/schema/compress.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import type { State } from '../../../runtime/engine.ts';
import { joinedValues } from '../../../tasks/fields.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { predictions } from '../../../train/evaluate/predict.ts';
import type { FitContext, StageContext } from '../../context.ts';
import { fit } from '../../training/fit.ts';
import { numberOfSteps } from '../../training/options.ts';
import type { Fitted } from '../../../train/training.ts';
import { idOf } from '../../../report/artifact.ts';
import type { Answers } from '../teacher/answer.ts';
import type { Reference } from '../../../ship/parity/check-file.ts';
import type { ExportedModel } from '../../../ship/export.ts';
import { laterNumbersOf, lossOfStudent, ofAnswers } from '../student/train-student.ts';

/** Measures ranges of activations on samples of the training split, and scales of weights. */
type Calibrate = (graph: ExportedModel['graph']) => Promise<Calibrated>;

export interface QatStep {
  readonly stage: string;
  readonly step: Int8Recipe;
  /** Number of the step; it makes the order of the samples differ from earlier trainings. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  /** Layers that are trained and exported in float. */
  readonly keepFloat: (layer: string) => boolean;
  readonly calibrate: Calibrate;
}

export interface TrainedForInt8 {
  /** The model with its new weights, and the outputs of the training graph with them. */
  readonly model: ExportedModel;
  readonly quantization: Quantization;
  readonly skipped: readonly Skipped[];
}

/**
 * Trains a model's inference graph with int8 simulated, under the same teacher, from the calibrated ranges. Returns weights and ranges of the epoch
 * with the best score on the validation split.
 */
export async function trainForInt8(context: FitContext, from: ExportedModel, qat: QatStep): Promise<TrainedForInt8> {
  const { stage, step } = qat;
  context.onEvent({ type: 'stage', stage });
  const { result: calibrated, skipped, masked } = await qat.calibrate(from.graph);
  const options = { keepFloat: qat.keepFloat, name: idOf(from), masked };
  const build = () => Promise.resolve(new FakeQuantizedNetwork(from.graph, calibrated, options));
  const done: StageContext['done'] = (name, seconds, figures, notes) => {
    const drop = taskOf(context.data.train).score.lost(from.trained.validation, figures!.score!.validation!);
    const all = { ...notes, drop, method: 'qat', scheme: step.scheme, skipped };
    return context.done(name, seconds, { ...figures, params: from.params, macs: from.macs }, all);
  };
  const trained = await fitQuantized({ ...context, done }, build, qat);
  const { network, weights, validation, bestEpoch, epochs, seconds } = trained;
  try {
    const { graph, activations } = network.exported(weights);
    // Activations that only one of the file formats rounds are not in the training graph: their ranges are measured again.
    const again = await qat.calibrate(graph);
    const quantization = new Map([...again.result, ...activations]);
    const { fields } = taskOf(context.data.train);
    const all = await simulated(context, network, weights, from.reference);
    const others = Object.entries(from.reference.others ?? {}).map(([name, other]) => [
      name,
      { ...other, data: all[name]! },
    ]);
    const model = {
      ...from,
      graph,
      stage,
      trained: { ...from.trained, validation, bestEpoch, epochs, seconds },
      reference: {
        ...from.reference,
        answers: joinedValues(all, fields, from.reference.shape[0]!),
        others: Object.fromEntries(others) as NonNullable<Reference['others']>,
      },
    };
    return { model, quantization, skipped };
  } finally {
    network.dispose();
  }
}

/** Temperature for losses that have one: quantized students learn better from a low one. */
const QAT_TEMPERATURE = 1;

/** Decay of the moving averages that give the ranges of activations, and the share of the training after which the ranges no longer change. */
const [RANGE_DECAY, FROZEN_AFTER] = [0.99, 0.5];

/** Trains a network that simulates int8, and freezes its ranges before the end. */
function fitQuantized(
  context: FitContext,
  build: () => Promise<FakeQuantizedNetwork>,
  { stage, step, number, lessons }: QatStep,
): Promise<Fitted<FakeQuantizedNetwork>> {
  const { data, recipe } = context;
  const { epochs, optimizer, temperature = QAT_TEMPERATURE } = step.qat ?? usualQat;
  const settings = { ...recipe.distill, epochs, optimizer };
  const seed = new RandomStream(recipe.seed, 'qat', number).uint32();
  const loss = lossOf(recipe, lessons);
  const numbers = laterNumbersOf(recipe, loss);
  const ofLabels = taskOf(data.train).labelNumbers(recipe.distill);
  const frozenFrom = (steps: number): number => Math.round(FROZEN_AFTER * steps);
  const samples = lessons === undefined ? labelledCount(data.train) : data.train.count;
  const steps = numberOfSteps(settings, samples);
  return fit(context, {
    stage,
    title: `training the student with quantization, ranges frozen from step ${frozenFrom(steps)} of ${steps} on`,
    build,
    settings,
    loss,
    lossArgs: { hyper: { ...numbers, ...('temperature' in numbers && { temperature }) }, ofLabels, seed },
    seed,
    answers: lessons?.answers,
    views: lessons?.views,
    // Frozen ranges depend on the step number alone, so a resumed training freezes at the same step.
    hyper: (at) => ({ [RANGE_RATE]: at < frozenFrom(steps) ? 1 - RANGE_DECAY : 0 }),
    precision: 'full',
  });
}

/**
 * Loss of the training. Losses of inner tensors and losses that read a strong view become plain distillation: folded batch norms leave inner tensors
 * without names, and a second view would move the observed ranges.
 */
export function lossOf({ distill }: Recipe, lessons: Answers | undefined): AnyLoss {
  if (lessons === undefined) return 'ce';
  return ofAnswers(lossOfStudent(distill));
}

/** Outputs of the training graph for the samples that exported files are checked on. */
async function simulated(
  { engine }: Pick<StageContext, 'engine'>,
  network: FakeQuantizedNetwork,
  weights: State,
  { x, shape, inputs }: ExportedModel['reference'],
): Promise<Record<string, Float32Array>> {
  return predictions(engine, { network, weights }, { x, n: shape[0]!, inputs });
}
