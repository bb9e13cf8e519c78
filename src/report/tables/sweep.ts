import { size } from '../format.ts';
import { scoreOf } from '../score.ts';
import { finalModel } from '../summary.ts';
import type { Report } from '../types.ts';

/** One trial of a sweep as it stands. */
export interface TrialFigures {
  readonly trial: string;
  readonly set: readonly string[];
  readonly status: Report['status'] | 'not begun';
  /** The model that its run ends with. */
  readonly model: string | null;
  /** Its score on the validation split: a sweep chooses, which is not to be done by the test split. */
  readonly validation: number | null;
  /** That of the student without the teacher; null where none was trained. With `repeats` of the first. */
  readonly twin: number | null;
  readonly sizeBytes: number | null;
}

interface Trial {
  readonly name: string;
  readonly set: readonly string[];
  readonly report: Report | undefined;
}

export function trialFigures({ name, set, report }: Trial): TrialFigures {
  const model = report && finalModel(report);
  return {
    trial: name,
    set,
    status: report?.status ?? 'not begun',
    model: model?.id ?? null,
    validation: model?.score.validation ?? null,
    twin: report?.models.find((row) => row.model.role === 'scratch' && row !== model)?.score.validation ?? null,
    sizeBytes: model?.sizeBytes ?? null,
  };
}

/** Rows of a table for people, its head first. */
export function sweepRows(trials: readonly Trial[]): string[][] {
  const scored = trials.find(({ report }) => report !== undefined)?.report;
  const score = scored === undefined ? undefined : scoreOf(scored);
  const rows = trials.map((trial) => {
    const { status, model, validation, twin, sizeBytes } = trialFigures(trial);
    const [own, other] = [validation, twin].map((value) =>
      value === null ? '-' : score === undefined ? String(value) : score.text(value),
    );
    return [trial.name, status, model ?? '-', own!, other!, sizeBytes === null ? '-' : size(sizeBytes)];
  });
  return [['trial', 'status', 'model', 'validation', 'without teacher', 'size'], ...rows];
}
