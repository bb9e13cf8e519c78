import { canonicalJson } from './diff.ts';
import type { Complaint } from './issues.ts';
import { fixedNumbers, LOSSES } from './schema/loss.ts';
import type { LossName } from './schema/loss.ts';
import { placesOfRule } from './refusals.ts';
import { valueAt } from './source.ts';
import type { KeyPath } from './source.ts';

/** A key that recipes had in an earlier version. */
export interface GoneKey {
  readonly path: string;
  /** The value that holds now, by the mapping with the key: recipes of earlier runs name it, and mean what they did. Undefined: none. */
  readonly usual: (mapping: Readonly<Record<string, unknown>>) => unknown;
  readonly instead: string;
  /** True for a key that the version before completed recipes with: hashes of its trainings are of recipes with the key. */
  readonly wasFilled?: true;
}

const gone = (paths: readonly string[], instead: string, usual?: unknown): GoneKey[] =>
  paths.map((path) => ({ path, usual: () => usual, instead }));

const filled = (paths: readonly string[], usual: unknown, instead: string): GoneKey[] =>
  gone(paths, instead, usual).map((row) => ({ ...row, wasFilled: true }));

/** Paths of a key of a quantization, of a list or alone. */
const ofQuantize = (key: string): string[] => [`quantize.*.${key}`, `quantize.${key}`];

const SHORT = ['teacher.chain.*.optimizer', 'prune.*.finetune.optimizer', ...ofQuantize('qat.optimizer')];
const ofShort = (key: string): string[] => SHORT.map((at) => `${at}.${key}`);
const ofOptimizers = (key: string): string[] => [
  ...['distill.optimizer', 'teacher.train.optimizer'].map((at) => `${at}.${key}`),
  ...ofShort(key),
];
const ofAssistants = (key: string): string[] => [`teacher.chain.*.${key}`];
const ofMembers = (key: string): string[] => [`teacher.ensemble.*.${key}`];
const ofSteps = (key: string): string[] =>
  ['dataset.augment', 'teacher.train.augment', 'distill.strong'].map((at) => `${at}.*.${key}`);
const ofStrong = (keys: readonly string[]): string[] => keys.map((key) => `distill.strong.*.${key}`);

const OF_ADAM =
  'Take it out: adam, adamw, rmsprop and muon have beta1 0.9, beta2 0.999 and epsilon 1e-8; a training that diverges needs a lower learningRate.';
const FOUR =
  'Take it out: optimizers of assistants, of finetune and of qat have type, learningRate, schedule and weightDecay, that of finetune warmup too.';
const OF_LABELS = 'Take it out: assistants learn from labels without it; teacher.train and distill have it.';
const OF_STRONG =
  'Take it out: the strong view is of single pictures. Such a change of all views stands under dataset.augment.';

/** Numbers of losses that are those of their papers. */
const NAMES = Object.keys(LOSSES) as LossName[];
const ofLosses = [...new Set(NAMES.flatMap((name) => Object.keys(fixedNumbers(name))))].map((key): GoneKey => {
  const all = NAMES.flatMap((name) => (key in fixedNumbers(name) ? [`${name} has ${fixedNumbers(name)[key]}`] : []));
  return {
    path: `distill.${key}`,
    usual: ({ loss = 'kd' }) =>
      Object.hasOwn(LOSSES, loss as string) ? fixedNumbers(loss as LossName)[key] : undefined,
    instead: `Take it out: ${all.join(', ')}, as in its paper; how much the teacher counts is alpha, or featureWeight.`,
  };
});

export const GONE: readonly GoneKey[] = [
  ...gone(ofQuantize('equalize'), 'Take it out: for a layer that loses too much there is keepFloat.', false),
  ...gone(
    ofQuantize('rounding'),
    'Take it out: weights are rounded to the nearest step, and biases corrected.',
    'nearest',
  ),
  ...gone(
    ofQuantize('biasCorrection'),
    'Take it out: biases are corrected; for a layer that loses too much there is keepFloat.',
    true,
  ),
  ...gone(ofQuantize('qat.rangeDecay'), 'Take it out: ranges follow the batches with a decay of 0.99.', 0.99),
  ...gone(
    ofQuantize('qat.freezeAfter'),
    'Take it out: ranges no longer change in the second half; qat.epochs makes both halves longer.',
    0.5,
  ),
  ...gone(
    ofQuantize('qat.temperature'),
    'Take it out: training with quantization has the temperature 1, since higher ones hurt students of few bits.',
    1,
  ),
  ...ofLosses,
  ...filled(ofOptimizers('beta1'), 0.9, OF_ADAM),
  ...filled(ofOptimizers('beta2'), 0.999, OF_ADAM),
  ...filled(ofOptimizers('epsilon'), 1e-8, OF_ADAM),
  ...filled(
    ofShort('warmup').filter((key) => !key.includes('finetune')),
    0,
    `${FOUR} With schedule: onecycle the rate rises at first.`,
  ),
  ...filled(ofShort('milestones'), [], FOUR),
  ...filled(ofOptimizers('gamma'), 0.1, 'Take it out: schedule: step multiplies by 0.1 after each of the milestones.'),
  ...filled(
    ofOptimizers('finalLearningRate'),
    0,
    'Take it out: schedules end at 0; a training that ends too early has more epochs.',
  ),
  ...gone(ofShort('cycles'), FOUR, 1),
  ...gone(ofShort('cycleFactor'), FOUR, 1),
  ...filled(ofShort('decay'), 'matrices', FOUR),
  ...filled(ofShort('momentum'), 0.9, FOUR),
  ...gone(ofShort('clipNorm'), FOUR),
  ...gone(ofShort('maxNorm'), FOUR),
  ...gone(
    ['baseline.optimizer'],
    'Write baseline: true: the twin has the optimizer of distill. A student with another one is a recipe of its own, without teacher.',
  ),
  ...gone(
    ['prune.*.layerLimit'],
    'Take it out: no layer loses more than a share of (1 + amount) / 2; with budget: layer each loses the same share.',
  ),
  ...gone(
    ofAssistants('microBatch'),
    'Take it out: a batch that does not fit into memory is computed in parts; batchSize makes it smaller.',
  ),
  ...filled(
    ofAssistants('ema'),
    0,
    'Take it out: assistants have no moving average; teacher.train and distill have it.',
  ),
  ...filled(ofAssistants('labelSmoothing'), 0, OF_LABELS),
  ...['huber', 'dice', 'arcface', 'pairLoss'].flatMap((key) => gone(ofAssistants(key), OF_LABELS)),
  ...filled(ofMembers('intermediate'), [], 'Take it out: inner tensors of an ensemble are not compared.'),
  ...['signature', 'input', 'logitScale'].flatMap((key) =>
    gone(
      ofMembers(key),
      'Take it out: a teacher that needs it stands alone, without ensemble; its stored logits can be averaged.',
    ),
  ),
  ...gone(ofMembers('confirmed'), 'Write teacher.confirmed: true, which is of all members.'),
  ...gone(['teacher.weighting'], 'Take it out: the members of an ensemble count by weight.', 'fixed'),
  ...gone(
    ['teacher.text.truncate'],
    'Take it out: the texts of the teacher are cut as those of the student, by dataset.text.truncate.',
  ),
  ...gone(
    ['distill.teacherUntil'],
    'Write schedules: { alpha: { to: 0, epochs: … } }, with which the weight of the teacher falls to 0 by then.',
  ),
  ...gone(
    ['distill.schedules.*.from'],
    'Take it out, and give the number of the loss itself this value: a schedule begins there.',
  ),
  ...filled(['distill.schedules.*.curve'], 'linear', 'Take it out: the number changes in a straight line.'),
  ...filled(
    ['dataset.features.specAugment.timeMasks', 'dataset.features.specAugment.frequencyMasks'],
    2,
    'Take it out: there are two masks of each kind; their width is timeWidth and frequencyWidth.',
  ),
  ...gone(ofSteps('crop.padding'), 'Write the pixels alone: crop: 4.'),
  ...gone(ofSteps('crop.edge'), 'Write the pixels alone, crop: 4: what is added is black.'),
  ...gone(ofSteps('erase.area'), 'Take it out: the box has from 2 % to 40 % of the area.'),
  ...gone(ofSteps('erase.probability'), 'Take it out: half of the samples get such a box, as in the paper.', 0.5),
  ...gone(ofSteps('erase.ratio'), 'Take it out: the box is from 0.3 to 3.3 times as wide as it is high.'),
  ...gone(
    ['dataset.augment.*.mosaic.until', 'teacher.train.augment.*.mosaic.until'],
    'Take it out: mosaics end after 85 % of the training.',
    0.85,
  ),
  ...gone(['dataset.unlabelled.labels'], 'Take it out: labels of unlabelled samples are not read.'),
  ...gone(['teacher.train.augment.*.background'], 'Take it out: noise of a folder stands under dataset.augment alone.'),
  ...gone(ofStrong(['mixup', 'cutmix', 'mosaic', 'background', 'timeShift', 'gain', 'noise']), OF_STRONG),
  ...gone(ofStrong(['jitter', 'scaling', 'timeWarp', 'timeCrop', 'channelDropout']), OF_STRONG),
];

/** A recipe without keys of earlier versions, and complaints about those that would change what is computed. */
export function withoutGone(recipe: unknown): { readonly recipe: unknown; readonly complaints: readonly Complaint[] } {
  const rest = structuredClone(recipe);
  const complaints = GONE.flatMap(({ path, usual, instead }) =>
    placesOfRule([path], recipe).flatMap(({ paths: [at = []] }) => {
      const value = valueAt(recipe, at);
      if (value === undefined) return [];
      const mapping = valueAt(recipe, at.slice(0, -1)) as Record<string, unknown>;
      Reflect.deleteProperty(valueAt(rest, at.slice(0, -1)) as object, at.at(-1)!);
      return canonicalJson(value) === canonicalJson(usual(mapping) ?? null) ? [] : [complaint(at, value, instead)];
    }),
  );
  return { recipe: rest, complaints };
}

/** A recipe of an earlier version as it is written now, if it means the same. */
export function asNow(recipe: unknown): unknown {
  const { recipe: rest, complaints } = withoutGone(recipe);
  return complaints.length === 0 ? rest : recipe;
}

/** A recipe with the keys that the version before completed it with: trainings that were begun then are known by hashes of it. */
export function asBefore<T>(recipe: T): T {
  const filledUp = structuredClone(recipe);
  for (const { path, usual, wasFilled = false } of GONE) {
    const key = path.slice(path.lastIndexOf('.') + 1);
    if (wasFilled)
      for (const {
        paths: [at = []],
      } of placesOfRule([path.slice(0, -key.length - 1)], recipe)) {
        const mapping = valueAt(filledUp, at) as Record<string, unknown> | undefined;
        if (typeof mapping === 'object' && !Array.isArray(mapping)) mapping[key] = usual(mapping);
      }
  }
  return filledUp;
}

function complaint(at: KeyPath, value: unknown, instead: string): Complaint {
  return {
    path: at.slice(0, -1),
    key: String(at.at(-1)),
    fact: `no longer a key, received ${JSON.stringify(value)}`,
    hint: instead,
    changes: [{ path: at, value: undefined }],
  };
}
