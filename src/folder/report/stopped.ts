import { InterruptedError } from '../../base/errors.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { fileOf, generationStage, idOf, isRaceStage, stageOf, TEACHER } from '../../report/artifact.ts';
import type { Artifact, ModelRef } from '../../report/artifact.ts';
import { formsOf } from '../../report/forms.ts';
import type { ModelRow, TrainingCurve } from '../../report/types.ts';
import type { LedgerRow } from '../states/ledger.ts';
import type { StageFigures } from '../../base/events.ts';
import type { StoppedFindings } from './report-frame.ts';
import { curveOfState } from '../../train/saved-training.ts';
import type { StageStates } from '../../train/saved-training.ts';

/** Reason why a run stopped, as the report words it. */
export function stopOf(error: unknown, stage: string): StoppedFindings['stopped'] {
  const reason = error instanceof Error ? error.message : String(error);
  return { status: error instanceof InterruptedError ? 'interrupted' : 'failed', stage, reason };
}

/** Training curves of the models from the ledger; of the unfinished stage from its saved state. */
export async function curvesOf(
  { repeats, distill: { generations = 1 } }: Pick<Recipe, 'repeats' | 'distill'>,
  rows: readonly LedgerRow[],
  current?: { readonly stage: string; readonly states: StageStates },
): Promise<TrainingCurve[]> {
  // The verdict covers repeats; curves are of the first.
  const again = new Set(
    Array.from({ length: repeats - 1 }, (_, i) => [
      ...(['scratch', 'distilled'] as const).map((role) => stageOf({ role, repeat: i + 1 })),
      ...Array.from({ length: generations - 1 }, (_number, k) => generationStage(k + 1, i + 1)),
    ]).flat(),
  );
  const finished = rows.flatMap(({ stage, notes }): TrainingCurve[] => {
    const { bestEpoch, epochs } = notes as Partial<TrainingCurve>;
    if (epochs === undefined || bestEpoch === undefined || again.has(stage) || isRaceStage(stage)) return [];
    return [{ stage, bestEpoch, epochs }];
  });
  if (current === undefined || finished.some(({ stage }) => stage === current.stage)) return finished;
  const state = await current.states.load();
  const epochs = state === undefined ? [] : curveOfState(state);
  return epochs.length === 0 ? finished : [...finished, { stage: current.stage, bestEpoch: null, epochs }];
}

/**
 * The models of a stopped run: those of the recipe whose stages are in the ledger. A model that was trained but not exported has no file and size 0.
 * Repeats and files without a score are left out.
 */
export function modelsSoFar(recipe: Pick<Recipe, 'prune' | 'quantize'>, ledger: readonly LedgerRow[]): ModelRow[] {
  const find = (stage: string): LedgerRow | undefined => ledger.find((row) => row.stage === stage);
  const [float, ...forms] = formsOf(recipe.quantize);
  const models = modelsOf(recipe);
  const trained = models.flatMap((model): ModelRow[] => {
    const training = find(stageOf(model));
    if (training === undefined) return [];
    const artifact = { model, ...float!.form };
    const [written, measured] = [find(`export ${fileOf(artifact)}`), find(`measure ${fileOf(artifact)}`)];
    const score = { ...training.figures.score, ...measured?.figures.score };
    const known = { ...training.figures, ...written?.figures, ...measured?.figures, score };
    return [rowOf(artifact, training, known)];
  });
  const rest = models.flatMap((model) =>
    forms.flatMap(({ form, trainedIn }): ModelRow[] => {
      const artifact = { model, ...form };
      const [written, measured] = [find(`export ${fileOf(artifact)}`), find(`measure ${fileOf(artifact)}`)];
      const known = { ...written?.figures, ...measured?.figures };
      if (written === undefined || known.score === undefined || known.params === undefined) return [];
      const training = find(trainedIn ?? stageOf(model));
      const stage = trainedIn ?? (form.precision === 'fp32' ? stageOf(model) : 'quantize');
      return [rowOf(artifact, { stage, seconds: training?.seconds ?? 0 }, known)];
    }),
  );
  return [...trained, ...rest];
}

/** The models that a recipe trains, in the order of the run, without repeats. */
function modelsOf({ prune }: Pick<Recipe, 'prune'>): ModelRef[] {
  const pruned = prune.map((_, i) => ({ role: 'pruned' as const, repeat: 0, step: i + 1 }));
  return [TEACHER, { role: 'scratch', repeat: 0 }, { role: 'distilled', repeat: 0 }, ...pruned];
}

function rowOf(
  artifact: Artifact,
  { stage, seconds }: Pick<LedgerRow, 'stage' | 'seconds'>,
  figures: StageFigures,
): ModelRow {
  const { params = 0, macs = null, sizeBytes = 0, file = null } = figures;
  const { validation = null, test = null } = figures.score ?? {};
  const known = { params, macs, sizeBytes, file, score: { validation, test } };
  return { id: idOf(artifact), ...artifact, stage, seconds, ...known, latency: [] };
}
