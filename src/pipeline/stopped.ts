import { InterruptedError } from '../base/errors.ts';
import type { ModelRow, TrainingCurve } from '../report/types.ts';
import type { Figures, LedgerRow } from './ledger.ts';
import type { StoppedFindings } from './report.ts';
import { curveOfState } from './training.ts';
import type { StageStates } from './training.ts';

/** Why a run ends before its end, in the words of the report. */
export function stopOf(error: unknown, stage: string): StoppedFindings['stopped'] {
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

/**
 * The models that a run had when it stopped, from the stages of its ledger. One that was trained and not exported yet has no
 * file, and a size of 0. Repeats are left out, and files of which no accuracy is known.
 */
export function modelsSoFar(ledger: readonly LedgerRow[]): ModelRow[] {
  const find = (stage: string): Figures | undefined => ledger.find((row) => row.stage === stage)?.figures;
  const trained = ledger.flatMap(({ stage, figures, seconds }): ModelRow[] => {
    const id = modelOf(stage);
    if (id === undefined) return [];
    const file = id === 'teacher' ? 'teacher.onnx' : `exports/${id}.onnx`;
    const [written, measured] = [find(`export ${file}`), find(`measure ${file}`)];
    const known = { ...figures, ...written, ...measured, accuracy: { ...figures.accuracy, ...measured?.accuracy } };
    return [rowOf({ id, stage, format: 'onnx', precision: 'fp32', seconds }, known)];
  });
  const rest = ledger.flatMap(({ stage, figures }, i): ModelRow[] => {
    const [, file, name, format] = /^export (exports\/(.+)\.(onnx|tflite))$/.exec(stage) ?? [];
    if (file === undefined || trained.some((row) => row.file === file) || /^[a-z]+-\d+$/.test(name!)) return [];
    const known = { ...figures, ...find(`measure ${file}`) };
    if (known.accuracy === undefined || known.params === undefined) return [];
    const [precision] = /(dynamic-)?int[48]|fp16/.exec(name!) ?? ['fp32'];
    const training = name!.includes('-qat') && ledger.slice(0, i).findLast((row) => /^qat-\d+$/.test(row.stage));
    const made = training || { stage: precision === 'fp32' ? 'export' : 'quantize', seconds: 0 };
    const id = format === 'onnx' ? name! : `${name!}-${format!}`;
    return [rowOf({ id, stage: made.stage, format: format!, precision, seconds: made.seconds }, known)];
  });
  return [...trained, ...rest];
}

/** The `id` of the model that a stage trains; undefined for other stages, and for repeats. */
function modelOf(stage: string): string | undefined {
  const pruned = /^prune-(\d+)$/.exec(stage);
  if (pruned !== null) return `pruned-${pruned[1]!}`;
  return new Map([
    ['teach', 'teacher'],
    ['scratch', 'scratch'],
    ['distill', 'distilled'],
  ]).get(stage);
}

type Made = Pick<ModelRow, 'id' | 'stage' | 'format' | 'precision' | 'seconds'>;

function rowOf(made: Made, figures: Figures): ModelRow {
  const { params = 0, macs = null, sizeBytes = 0, file = null } = figures;
  const { validation = null, test = null } = figures.accuracy ?? {};
  return { ...made, params, macs, sizeBytes, file, accuracy: { validation, test }, latency: [] };
}
