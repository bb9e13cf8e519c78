import type { Graph } from '../../types.ts';
import { cleaned } from '../simplify/cleaned.ts';
import { collectSums } from './collect-sums.ts';
import { joinBeforeOp } from './join-before-op.ts';
import { wholeBeforeParts } from './whole-before-parts.ts';

/**
 * The passes for a graph of fixed shapes that runs many times, a training step above all. What each step of a sequence does by itself is
 * done at once, so that a recurrent layer takes fewer and larger nodes, forwards and back.
 */
export function forStep(graph: Graph): Graph {
  let best = graph;
  for (;;) {
    const joined = joinBeforeOp(collectSums(wholeBeforeParts(best)));
    const after = joined === best ? best : cleaned(joined);
    if (after.nodes.length >= best.nodes.length) return best;
    best = after;
  }
}
