import { monotonicMs } from '../../base/clock.ts';
import { batches } from '../../data/batches.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import type { State } from '../../runtime/engine.ts';
import { Evaluator } from '../../train/evaluate.ts';
import { evaluationProgram } from '../../train/inference.ts';
import type { Fitted } from '../../train/training.ts';
import type { StageContext } from '../context.ts';

/** A model that is not trained: what it has right on the validation split is counted. */
export async function taken(
  context: StageContext,
  given: { readonly stage: string; readonly title: string; readonly network: ModelNetwork; readonly weights: State },
): Promise<Fitted> {
  const { stage, title, network, weights } = given;
  context.onEvent({ type: 'stage', stage, title });
  const start = monotonicMs();
  const validation = await validationAccuracy(context, network, weights);
  const seconds = (monotonicMs() - start) / 1000;
  await context.done(stage, seconds, { accuracy: { validation } });
  return { network, weights, validation, bestEpoch: 0, epochs: [], seconds };
}

const EVALUATION_BATCH = 256;

/** Share of the validation split that a model has right with these weights. */
export async function validationAccuracy(
  { engine, data }: StageContext,
  network: ModelNetwork,
  weights: State,
): Promise<number> {
  const loaded = await network.withWeights(weights);
  const program = (batchSize: number) => evaluationProgram({ network: loaded, batchSize });
  const evaluator = new Evaluator({ engine, program, classes: data.classNames.length });
  try {
    const batchSize = await evaluator.atOnce(Math.min(EVALUATION_BATCH, data.validation.count));
    const order = { batchSize, seed: 0, epoch: 0, shuffle: false };
    return (await evaluator.run(batches(data.validation, order))).accuracy;
  } finally {
    await evaluator.dispose();
    loaded.dispose();
  }
}
