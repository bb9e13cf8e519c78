import type { Graph } from '../../types.ts';
import { mergeCommonSubexpressions } from './common-subexpressions.ts';
import { removeDeadCode } from './dead-code.ts';
import { mergeNegations } from './merge-negations.ts';
import { simplifyShapes } from './simplify-shapes.ts';

/** The passes that every traced graph goes through: nothing computed twice, nothing for nothing, no shape change undone by the next. */
export function cleaned(graph: Graph): Graph {
  let before: Graph;
  let after = graph;
  do {
    before = after;
    after = removeDeadCode(mergeCommonSubexpressions(mergeNegations(simplifyShapes(before))));
  } while (after.nodes.length < before.nodes.length);
  return after;
}
