import { reportStage } from '../../stages.ts';
import type { Graph } from '../../types.ts';
import { cleaned } from '../simplify/cleaned.ts';
import { dilatedFilters } from './dilated-filters.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import type { Evaluate } from '../constants/fold-constants.ts';
import { foldConstants } from '../constants/fold-constants.ts';
import { recognizeActivations } from '../simplify/recognize-activations.ts';
import { reluBeforePool } from './relu-before-pool.ts';

/** The graph of a model as it ships: batch norms folded, filters without the zeros of a dilation, constants computed, activations as one op each. */
export function forInference(graph: Graph, evaluate: Evaluate): Graph {
  const folded = foldConstants(foldBatchNorm(dilatedFilters(cleaned(graph))), evaluate);
  const made = cleaned(reluBeforePool(recognizeActivations(folded)));
  return reportStage('inference', made);
}
