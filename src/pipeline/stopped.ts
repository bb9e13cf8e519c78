import { InterruptedError } from '../base/errors.ts';
import type { TrainingCurve } from '../report/types.ts';
import type { LedgerRow } from './ledger.ts';
import type { Findings } from './report.ts';
import { curveOfState } from './training.ts';
import type { StageStates } from './training.ts';

/** Why a run ends before its end, in the words of the report. */
export function stopOf(error: unknown, stage: string): NonNullable<Findings['stopped']> {
  const reason = error instanceof Error ? error.message : String(error);
  return { status: error instanceof InterruptedError ? 'interrupted' : 'failed', stage, reason };
}

/** How the models were trained, as the ledger has it; of the stage that was under way, as its saved state has it. */
export async function curvesOf(
  rows: readonly LedgerRow[],
  current?: { readonly stage: string; readonly states: StageStates },
): Promise<TrainingCurve[]> {
  const finished = rows.flatMap(({ stage, notes }): TrainingCurve[] => {
    const { bestEpoch, epochs } = notes as Partial<TrainingCurve>;
    // Repeats are in the verdict; curves are of the first.
    if (epochs === undefined || bestEpoch === undefined || /^(scratch|distill)-\d+$/.test(stage)) return [];
    return [{ stage, bestEpoch, epochs }];
  });
  if (current === undefined || finished.some(({ stage }) => stage === current.stage)) return finished;
  const state = await current.states.load();
  const epochs = state === undefined ? [] : curveOfState(state);
  return epochs.length === 0 ? finished : [...finished, { stage: current.stage, bestEpoch: null, epochs }];
}
