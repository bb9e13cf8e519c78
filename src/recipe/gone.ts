import type { Complaint } from './issues.ts';
import { fixedNumbers, LOSSES } from './schema/loss.ts';
import type { LossName } from './schema/loss.ts';
import { placesOfRule } from './refusals.ts';
import { valueAt } from './source.ts';
import type { KeyPath } from './source.ts';

/** A key that recipes had in an earlier version. */
interface GoneKey {
  readonly path: string;
  /** The value that holds now: recipes of earlier runs name it, and mean what they did. */
  readonly usual: (recipe: unknown) => unknown;
  readonly instead: string;
}

/** Keys of a quantization, of a list or alone. */
const ofQuantize = (key: string, usual: unknown, instead: string): GoneKey[] =>
  ['quantize', 'quantize.*'].map((at) => ({ path: `${at}.${key}`, usual: () => usual, instead }));

const lossOf = (recipe: unknown): LossName => (valueAt(recipe, ['distill', 'loss']) ?? 'kd') as LossName;

const fixedBy = (loss: LossName, key: string): number | undefined =>
  Object.hasOwn(LOSSES, loss) ? fixedNumbers(loss)[key] : undefined;

/** Numbers of losses that are those of their papers. */
const NAMES = Object.keys(LOSSES) as LossName[];
const ofLosses = [...new Set(NAMES.flatMap((name) => Object.keys(fixedNumbers(name))))].map((key): GoneKey => ({
  path: `distill.${key}`,
  usual: (recipe) => fixedBy(lossOf(recipe), key),
  instead: `Take it out: ${NAMES.flatMap((name) => (fixedBy(name, key) === undefined ? [] : [`${name} has ${fixedBy(name, key)}`])).join(', ')}, as in its paper; how much the teacher counts is alpha, or featureWeight.`,
}));

const GONE: readonly GoneKey[] = [
  ...ofQuantize('equalize', false, 'Take it out: for a layer that loses too much there is keepFloat.'),
  ...ofQuantize('rounding', 'nearest', 'Take it out: weights are rounded to the nearest step, and biases corrected.'),
  ...ofQuantize('qat.rangeDecay', 0.99, 'Take it out: ranges follow the batches with a decay of 0.99.'),
  ...ofQuantize(
    'qat.freezeAfter',
    0.5,
    'Take it out: ranges no longer change in the second half; qat.epochs makes both halves longer.',
  ),
  ...ofLosses,
];

/** A recipe without keys of earlier versions, and complaints about those that would change what is computed. */
export function withoutGone(recipe: unknown): { readonly recipe: unknown; readonly complaints: readonly Complaint[] } {
  const found = GONE.flatMap(({ path, usual, instead }) =>
    placesOfRule([path], recipe).flatMap(({ paths: [at = []] }) => {
      const value = valueAt(recipe, at);
      return value === undefined ? [] : [{ at, value, instead, isUsual: value === usual(recipe) }];
    }),
  );
  if (found.length === 0) return { recipe, complaints: [] };
  const rest = structuredClone(recipe);
  for (const { at } of found) Reflect.deleteProperty(valueAt(rest, at.slice(0, -1)) as object, at.at(-1)!);
  const complaints = found.flatMap(({ at, value, instead, isUsual }) =>
    isUsual ? [] : [complaint(at, value, instead)],
  );
  return { recipe: rest, complaints };
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
