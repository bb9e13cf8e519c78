import { machineInfo } from '../measure/machine.ts';
import type { Report, TeacherSummary } from '../report/types.ts';
import { verdictOf } from '../report/verdict.ts';
import type { StageContext } from './context.ts';
import type { TrainedModel } from './stages/export.ts';
import type { Measured } from './stages/measure.ts';

export interface Student extends TrainedModel {
  readonly id: 'scratch' | 'distilled';
}

/** Everything that a run found out, side by side. Models appear once, repeats of them in the verdict. */
export function makeReport(
  { recipe, data, engine }: StageContext,
  {
    measured,
    answers,
    wallSeconds,
  }: { measured: readonly Measured[]; answers: TeacherSummary | undefined; wallSeconds: number },
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
    status: 'complete',
    wallSeconds,
    machine: { ...machineInfo(), engine: engine.name, device: engine.device },
    dataset: {
      type: recipe.dataset.type,
      classes: data.classNames.length,
      sampleShape: data.train.sampleShape,
      samples: { train: data.train.count, validation: data.validation.count, test: data.test?.count ?? 0 },
    },
    ...(answers !== undefined && { teacher: answers }),
    models: measured.filter(({ repeat }) => repeat === 0).map(({ row }) => row),
    ...(hasPair && { verdict: verdictOf(distilled, scratch) }),
    parity: measured.flatMap(({ exported }) => (exported === undefined ? [] : [exported.parity])),
    notes: data.warnings,
  };
}
