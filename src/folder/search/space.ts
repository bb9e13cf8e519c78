import { UserError } from '../../base/errors.ts';
import { models } from '../../networks/models/registry.ts';
import { completeRecipe } from '../../recipe/load.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';

/** A student to try, in all number formats of the recipe: quantizing costs little compared with training. */
export interface Candidate {
  /** Factor on the width of the recipe's student. */
  readonly width: number;
  /** Share of multiply-accumulates that pruning removes. */
  readonly amount: number;
}

/** All combinations, cheapest last: of equals the earlier is tried first. */
export function candidatesOf({ widths, amounts }: TargetRecipe): Candidate[] {
  const sorted = (values: readonly number[], sign: number): number[] =>
    [...new Set(values)].sort((a, b) => sign * (a - b));
  return sorted(widths, -1).flatMap((width) => sorted(amounts, 1).map((amount) => ({ width, amount })));
}

/** Folder name of a candidate's run in round `round` (from 0). */
export function runOf({ width, amount }: Candidate, round: number): string {
  return `width-${width}-pruned-${amount}-round-${round + 1}`;
}

/** Share of the epochs in round `round` (from 0) of `rounds`: all in the last, half in each before. */
export function shareOf(round: number, rounds: number): number {
  return 2 ** (round + 1 - rounds);
}

/**
 * The recipe of a candidate: the student at its width, pruned and quantized, trained for a share of the epochs. Limits on accuracy loss are removed,
 * because the search judges.
 */
export function candidateRecipe(
  { written, base }: LoadedRecipe,
  { width, amount }: Candidate,
  share: number,
  target: TargetRecipe,
): LoadedRecipe {
  const { student, distill, prune, quantize } = written;
  const [template] = prune;
  const epochs = template?.finetune.epochs ?? distill.epochs / 4;
  const { views } = distill.softTargets;
  const recipe = {
    ...written,
    target: undefined,
    student: width === 1 ? student : atWidth(student, width),
    // All rounds share the stored answers, whatever their epochs.
    distill: {
      ...distill,
      epochs: distill.epochs * share,
      softTargets: { ...distill.softTargets, ...(views === undefined && defaultViews(written)) },
    },
    prune: amount === 0 ? [] : [pruning(template, amount, epochs * share)],
    quantize: (quantize.length > 0 ? quantize : [{}]).map(withoutFallback),
    export: target.runtime === 'onnxruntime' ? ['onnx'] : ['onnx', 'tflite'],
    report: { latency: { batchSizes: [target.batchSize], threads: [target.threads], seconds: timeOf(written) } },
    baseline: false,
    repeats: 1,
  };
  return completeRecipe(recipe, base, models);
}

/** A target limits latency, so latency must be measured. */
function timeOf({ report }: Recipe): number {
  return report.latency.seconds > 0 ? report.latency.seconds : 1;
}

/** A candidate is the result of its step, whatever it loses; the step's fallback is removed. */
function withoutFallback(step: Partial<Recipe['quantize'][number]>): object {
  const kept = Object.entries(step).filter(([key]) => key !== 'qat' || ('method' in step && step.method === 'qat'));
  return { ...Object.fromEntries(kept), maxDrop: 100, fallback: 'keep-float' };
}

function pruning(given: Recipe['prune'][number] | undefined, amount: number, epochs: number): object {
  const template = given?.type === 'channels' ? given : undefined;
  const finetune = { ...given?.finetune, epochs };
  return { ...template, type: 'channels', target: 'macs', amount, finetune, maxDrop: 100, fallback: 'skip' };
}

function defaultViews({ dataset, distill, teacher }: Recipe): { views?: number } {
  const isStored = teacher?.logits === undefined && distill.softTargets.store !== 'live';
  return dataset.augment.length === 0 || !isStored ? {} : { views: Math.min(4, Math.ceil(distill.epochs)) };
}

/** Options that scale a model; of several the first counts. The last two are numbers of channels or units, or lists of them. */
const WIDTHS = ['width', 'alpha', 'filters', 'hidden'];

/** The student with its channels or hidden units multiplied by `width`. */
function atWidth(student: Recipe['student'], width: number): object {
  // The file of a backbone has the layers that `alpha` would scale; the neck has `filters`.
  const able = WIDTHS.filter((name) => student?.backbone === undefined || name !== 'alpha');
  const modelOptions = student?.model === undefined ? {} : models[student.model]!.options;
  const studentOptions = student as Record<string, unknown> | undefined;
  const valueOf = (option: string): unknown => studentOptions?.[option] ?? modelOptions[option]?.default;
  // 0 hidden units are no layer.
  const option = able.find((name) => modelOptions[name] !== undefined && valueOf(name) !== 0);
  const value = option && valueOf(option);
  if (option === 'width' || option === 'alpha') return { ...student, [option]: Number(value) * width };
  const scaled = (units: number): number => Math.max(1, Math.round(units * width));
  if (option !== undefined)
    return { ...student, [option]: Array.isArray(value) ? value.map(scaled) : scaled(Number(value)) };
  throw new UserError(
    `target.widths: ${student?.model ?? 'this student'} has none of the options ${able.join(', ')}, received ${width}`,
    'Set target.widths: [1] to search over pruning and number formats alone, or take a model that has widths.',
  );
}
