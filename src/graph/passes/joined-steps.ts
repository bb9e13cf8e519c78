import type { Graph } from '../types.ts';
import { cleaned } from './cleaned.ts';
import { collectSums } from './collect-sums.ts';
import { joinBeforeOp } from './join-before-op.ts';
import { wholeBeforeParts } from './whole-before-parts.ts';

/**
 * The passes by which a graph of fixed shapes does at once what each step of a sequence does by itself: a recurrent layer then takes fewer
 * and larger nodes, forwards and back.
 */
export function joinedSteps(graph: Graph): Graph {
  let before: Graph;
  let after = graph;
  do {
    before = after;
    after = cleaned(joinBeforeOp(collectSums(wholeBeforeParts(before))));
  } while (after.nodes.length < before.nodes.length);
  return after;
}
