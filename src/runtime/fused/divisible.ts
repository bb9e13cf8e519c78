import type { FusedUpdate } from '../../graph/passes/step/fused-update.ts';
import type { SplitGraph } from '../../graph/passes/step/split-updates.ts';
import type { Graph } from '../../graph/types.ts';
import { RANGE_STEP } from '../engine.ts';

/**
 * The feed that an update can be divided by: the only one that it reads number by number, if nothing else reads it. A gradient whose norm is
 * needed, or whose matrix is, is read by other nodes too, and must be there as a whole; so must weights whose columns are summed. Undefined where
 * there is none. Variables of a few numbers are left whole: one alone may be read as a scalar by other updates.
 */
export function divisibleInput(
  { elements, vectors, columns }: FusedUpdate,
  { rest, updates }: SplitGraph,
  { inputs }: Pick<Graph, 'inputs'>,
): string | undefined {
  const [input, ...more] = vectors.filter((name) => inputs.has(name));
  if (input === undefined || more.length > 0 || columns.length > 0 || elements <= RANGE_STEP || rest.inputs.has(input))
    return undefined;
  const readers = updates.filter((other) => [...other.vectors, ...other.scalars].includes(input));
  return readers.length === 1 ? input : undefined;
}
