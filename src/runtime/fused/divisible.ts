import type { FusedUpdate } from '../../graph/passes/step/fused-update.ts';
import type { SplitGraph } from '../../graph/passes/step/split-updates.ts';
import type { Graph } from '../../graph/types.ts';
import { RANGE_STEP } from '../divisible-step.ts';

/**
 * The feed by which an update can be divided: the only one that it reads elementwise, if nothing else reads it. A gradient whose norm or matrix is
 * needed is read by other nodes too, and must be complete; so must weights whose columns are summed. Undefined if there is none. Variables of a few
 * elements stay whole: single numbers may be read as scalars by other updates.
 */
export function divisibleInput(
  { elements, vectors, rowed, columns }: FusedUpdate,
  { rest, updates }: SplitGraph,
  { inputs }: Pick<Graph, 'inputs'>,
): string | undefined {
  const [input, ...more] = vectors.filter((name) => inputs.has(name));
  const isWhole = more.length > 0 || columns.length > 0 || rowed.length > 0 || elements <= RANGE_STEP;
  if (input === undefined || isWhole || rest.inputs.has(input)) return undefined;
  const readers = updates.filter((other) => [...other.vectors, ...other.scalars].includes(input));
  return readers.length === 1 ? input : undefined;
}
