import type { z } from 'zod';
import type { TaskName } from '../task.ts';
import { LOSSES, tasksOfLoss } from './loss.ts';
import type { LossName } from './loss.ts';

/** Defaults of a recipe by its task; classification has those of the schema. */
const USUAL: Readonly<Record<Exclude<TaskName, 'classification'>, { loss: LossName; store: 'fp16' | 'fp32' }>> = {
  // Half precision has 11 bits: too few for a label such as 1021.3 hPa.
  regression: { loss: 'mse', store: 'fp32' },
  'multi-label': { loss: 'kd', store: 'fp16' },
};

type Mapping = Readonly<Record<string, unknown>>;

/** The recipe as it was written, with what its task has for a default. */
export function withTaskDefaults(data: unknown): unknown {
  const task = at(data, 'dataset', 'task');
  if (typeof task !== 'string' || !Object.hasOwn(USUAL, task) || at(data, 'teacher') === undefined) return data;
  const { loss, store } = USUAL[task as keyof typeof USUAL];
  const { distill = {} } = data as { distill?: unknown };
  if (!isMapping(distill)) return data;
  const { softTargets = {} } = distill;
  if (!isMapping(softTargets)) return data;
  return { ...(data as Mapping), distill: { loss, ...distill, softTargets: { store, ...softTargets } } };
}

function at(data: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), data);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parts of a recipe that the checks below read. */
interface Checked {
  readonly dataset: { readonly task?: TaskName | undefined };
  readonly distill: Training & { readonly loss: LossName };
  readonly teacher?:
    | {
        readonly train?: Training | undefined;
        readonly minAccuracy?: number | undefined;
        readonly classes?: readonly string[] | undefined;
        readonly outputs: string;
      }
    | undefined;
  readonly target?: unknown;
}

interface Training {
  readonly labelSmoothing: number;
  readonly huber?: number | undefined;
}

/** Keys that mean nothing for the task of the data are refused by name: nothing would read them. */
export function refuseForTask({ dataset, distill, teacher, target }: Checked, context: z.RefinementCtx): void {
  const { task = 'classification' } = dataset;
  const refuse = (path: readonly string[], expected: string, received: unknown): void =>
    context.addIssue({ code: 'custom', message: 'not of the task', path: [...path], params: { expected, received } });
  const trainings: readonly (readonly [readonly string[], Training | undefined])[] = [
    [['distill'], distill],
    [['teacher', 'train'], teacher?.train],
  ];
  for (const [path, training] of trainings) {
    if (training === undefined) continue;
    if (task !== 'regression' && training.huber !== undefined)
      refuse([...path, 'huber'], `no such key for ${task}: it is of regression`, training.huber);
    if (task !== 'classification' && training.labelSmoothing > 0)
      refuse([...path, 'labelSmoothing'], `no such key for ${task}: it is of classification`, training.labelSmoothing);
  }
  if (teacher !== undefined && !tasksOfLoss(distill.loss).includes(task)) {
    const fitting = fittingLosses(task);
    refuse(['distill', 'loss'], `a loss for ${task}: ${fitting.join(' or ')}`, distill.loss);
  }
  if (task === 'classification') return;
  const given: readonly (readonly [readonly string[], unknown])[] = [
    [['teacher', 'minAccuracy'], teacher?.minAccuracy],
    [['teacher', 'classes'], teacher?.classes],
    [['teacher', 'outputs'], teacher?.outputs === 'probabilities' ? 'probabilities' : undefined],
    [['target'], target === undefined ? undefined : 'a search'],
  ];
  for (const [path, received] of given)
    if (received !== undefined) refuse(path, `no such key for ${task}: it is of classification`, received);
}

function fittingLosses(task: TaskName): readonly LossName[] {
  return (Object.keys(LOSSES) as LossName[]).filter((name) => tasksOfLoss(name).includes(task));
}
