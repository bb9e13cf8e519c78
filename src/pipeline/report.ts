import { machineInfo } from '../measure/machine.ts';
import type { Report, TeacherSummary, TrainingCurve } from '../report/types.ts';
import { verdictOf } from '../report/verdict.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { StageContext } from './context.ts';
import type { TrainedModel } from './stages/export.ts';
import type { Timed } from './stages/latency.ts';
import type { Measured } from './stages/measure.ts';

export interface Student extends TrainedModel {
  readonly id: 'scratch' | 'distilled';
}

/** What the stages came to, as far as the run came. */
export interface Findings {
  readonly measured: readonly Measured[];
  readonly answers?: TeacherSummary | undefined;
  readonly timed?: Timed | undefined;
  /** What stages left alone, and why. */
  readonly notes?: readonly string[];
  readonly training: readonly TrainingCurve[];
  /** The recipe as it was written: file names as the user gave them. */
  readonly written: Recipe;
  readonly wallSeconds: number;
  readonly stopped?: { readonly status: 'failed' | 'interrupted'; readonly stage: string; readonly reason: string };
}

/** Everything that a run found out, side by side. Models appear once, repeats of them in the verdict. */
export function makeReport(
  { recipe, data, engine }: StageContext,
  { measured, answers, timed, notes = [], training, written, wallSeconds, stopped }: Findings,
): Report {
  const test = (id: string): number[] =>
    measured.flatMap((model) => {
      const { validation, test: onTest } = model.row.accuracy;
      return model.id === id ? [onTest ?? validation ?? NaN] : [];
    });
  const [distilled, scratch] = [test('distilled'), test('scratch')];
  const hasPair = distilled.length > 0 && distilled.length === scratch.length;
  return {
    version: 1,
    name: recipe.name,
    seed: recipe.seed,
    status: stopped?.status ?? 'complete',
    ...(stopped !== undefined && { stopped: { stage: stopped.stage, reason: stopped.reason } }),
    wallSeconds,
    machine: { ...machineInfo(), engine: engine.name, device: engine.device },
    dataset: {
      type: recipe.dataset.type,
      classes: data.classNames.length,
      classNames: data.classNames,
      sampleShape: data.train.sampleShape,
      samples: { train: data.train.count, validation: data.validation.count, test: data.test?.count ?? 0 },
    },
    ...(answers !== undefined && { teacher: answers }),
    models: measured
      .filter(({ repeat }) => repeat === 0)
      .map(({ row }) => ({ ...row, latency: timed?.rows.get(row.id) ?? [] })),
    ...(hasPair && { verdict: verdictOf(distilled, scratch) }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    ...(training.length > 0 && { training }),
    ...(timed?.measurement && { measurement: timed.measurement }),
    recipe: written,
    notes: [...data.warnings, ...notes, ...(timed?.notes ?? [])],
  };
}
