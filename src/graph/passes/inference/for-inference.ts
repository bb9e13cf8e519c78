import { reportStage } from '../../stages.ts';
import type { Graph, TensorData } from '../../types.ts';
import { cleaned } from '../simplify/cleaned.ts';
import { dilatedFilters } from './dilated-filters.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import type { Evaluate } from '../constants/fold-constants.ts';
import { constantPart, foldConstants, withResults } from '../constants/fold-constants.ts';
import { recognizeActivations } from '../simplify/recognize-activations.ts';
import { reluBeforePool } from './relu-before-pool.ts';

/** The graph of a model as it ships: batch norms folded, filters without the zeros of a dilation, constants computed, activations as one op each. */
export function forInference(graph: Graph, evaluate: Evaluate): Graph {
  return finished(foldConstants(unfolded(graph), evaluate));
}

/** The same, where constants are computed by a runtime that answers later. */
export async function forInferenceBy(
  graph: Graph,
  evaluate: (part: Graph) => Promise<ReadonlyMap<string, TensorData>>,
): Promise<Graph> {
  const started = unfolded(graph);
  const part = constantPart(started);
  return finished(part === undefined ? started : withResults(started, await evaluate(part)));
}

const unfolded = (graph: Graph): Graph => foldBatchNorm(dilatedFilters(cleaned(graph)));

function finished(folded: Graph): Graph {
  return reportStage('inference', cleaned(reluBeforePool(recognizeActivations(folded))));
}
