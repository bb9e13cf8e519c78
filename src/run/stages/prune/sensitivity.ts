import { monotonicMs } from '../../../base/clock.ts';
import { InterruptedError } from '../../../base/errors.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { nameOf } from '../../../report/artifact.ts';
import type { PruningSensitivity } from '../../../report/types.ts';
import type { FitContext } from '../../context.ts';
import { progressOf } from '../../../train/progress.ts';
import type { TrainedModel } from '../../../ship/export.ts';
import { validationScore } from '../score-as-given.ts';

const STAGE = 'pruning-sensitivity';

/**
 * Decrease of the score on the validation split for each layer of the student, if that layer alone loses channels; undefined without a student.
 */
export async function pruningSensitivity(
  context: Omit<FitContext, 'saveEveryMs' | 'states'>,
  students: readonly TrainedModel[],
): Promise<PruningSensitivity | undefined> {
  const student = students.filter(({ model }) => model.repeat === 0).at(-1);
  if (student === undefined) return undefined;
  const { trained } = student;
  const id = nameOf(student.model);
  const start = monotonicMs();
  context.onEvent({ type: 'stage', stage: STAGE, title: `removing channels of each layer of ${id} alone` });
  const { score } = taskOf(context.data.train);
  // For a score of which lower is better, the decrease in quality is an increase of the score.
  const lost = (drop: number): string => score.change(drop).replace(/^\+/, '');
  const { sensitivity } = await import('../../../compress/prune/sensitivity.ts');
  const rows = await sensitivity(trained.network, trained.weights, {
    score,
    onProgress: progressOf(context, STAGE),
    evaluate: async (network, weights) => {
      if (context.signal?.aborted === true) throw new InterruptedError(`stopped ${STAGE}`);
      return validationScore(context, network, weights);
    },
  });
  for (const { layers, channels, kept, drop } of rows) {
    const message = `  ${layers.join(', ')}: ${kept} of ${channels} channels, ${lost(drop)} lost`;
    context.onEvent({ type: 'message', message });
  }
  await context.done(STAGE, (monotonicMs() - start) / 1000, {}, { rows });
  return { model: id, score: trained.validation, rows };
}
