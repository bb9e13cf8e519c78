import { monotonicMs } from '../../base/clock.ts';
import { plainBatches } from '../../data/batches/batches.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import type { State } from '../../runtime/engine.ts';
import { taskOf } from '../../tasks/registry.ts';
import { Evaluator } from '../../train/evaluate/evaluate.ts';
import { evaluationProgram } from '../../train/evaluate/inference.ts';
import type { Fitted } from '../../train/training.ts';
import type { StageContext } from '../context.ts';

/** Takes a model without training it, and scores it on the validation split. */
export async function taken(
  context: Pick<StageContext, 'data' | 'engine' | 'processes' | 'onEvent' | 'done'>,
  given: { readonly stage: string; readonly title: string; readonly network: ModelNetwork; readonly weights: State },
): Promise<Fitted> {
  const { stage, title, network, weights } = given;
  context.onEvent({ type: 'stage', stage, title });
  const start = monotonicMs();
  const validation = await validationScore(context, network, weights);
  const seconds = (monotonicMs() - start) / 1000;
  await context.done(stage, seconds, { score: { validation } });
  return { network, weights, validation, bestEpoch: 0, epochs: [], seconds };
}

const EVALUATION_BATCH = 256;

/** Score of a model on the validation split with these weights. */
export async function validationScore(
  { engine, data, processes }: Pick<StageContext, 'data' | 'engine' | 'processes'>,
  network: ModelNetwork,
  weights: State,
): Promise<number> {
  const loaded = await network.withWeights(weights);
  const task = taskOf(data.train);
  const program = (batchSize: number) => evaluationProgram({ network: loaded, task, batchSize });
  const evaluator = new Evaluator({ engine, program, task });
  try {
    const batchSize = await evaluator.atOnce(Math.min(EVALUATION_BATCH, data.validation.count));
    return (await evaluator.run(plainBatches(data.validation, batchSize), processes)).score;
  } finally {
    await evaluator.dispose();
    loaded.dispose();
  }
}
