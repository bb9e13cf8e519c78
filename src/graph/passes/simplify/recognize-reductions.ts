import type { GraphBuilder } from '../../builder.ts';
import type { Node } from '../../types.ts';
import type { FoundPattern, Match } from '../match.ts';

/** Log-sum-exp and log-softmax as tfjs spells them: against the maximum, which it reshapes away and back. */
export function recognizedReduction(node: Node, match: Match, builder: GraphBuilder): FoundPattern | undefined {
  if (node.op === 'Add') return logSumExp(node, match);
  return node.op === 'Sub' ? logSoftmax(node, match, builder) : undefined;
}

/** max(x) + log Σ exp(x - max(x)) */
function logSumExp(node: Node, match: Match): FoundPattern | undefined {
  for (const [top, rest] of [node.inputs, node.inputs.toReversed()] as [string, string][]) {
    const largest = match.node(match.node(top, 'Reshape')?.inputs[0] ?? top, 'Max');
    const log = match.node(rest, 'Log');
    const sum = log === undefined ? undefined : match.node(log.inputs[0]!, 'Sum');
    const exp = sum === undefined ? undefined : match.node(sum.inputs[0]!, 'Exp');
    const difference = exp === undefined ? undefined : match.node(exp.inputs[0]!, 'Sub');
    if (largest === undefined || difference === undefined) continue;
    const [x, from] = difference.inputs as [string, string];
    const sameAxes = String(largest.attrs.axes) === String(sum!.attrs.axes);
    // Without its axes a maximum is taken from other values, which only a square hides.
    if (largest.inputs[0] !== x || from !== largest.outputs[0] || !sameAxes || largest.attrs.keepDims !== true)
      continue;
    return { op: 'LogSumExp', x, attrs: { axes: sum!.attrs.axes!, keepDims: sum!.attrs.keepDims! } };
  }
  return undefined;
}

/** x - logSumExp(x) over one axis */
function logSoftmax(node: Node, match: Match, builder: GraphBuilder): FoundPattern | undefined {
  const [x, from] = node.inputs as [string, string];
  const sum = match.node(match.node(from, 'Reshape')?.inputs[0] ?? from, 'LogSumExp');
  const [axis, ...others] = (sum?.attrs.axes ?? []) as readonly number[];
  if (sum?.inputs[0] !== x || axis === undefined || others.length > 0) return undefined;
  const kept = builder.typeOf(x).shape.with(axis, 1);
  if (builder.typeOf(from).shape.join() !== kept.join()) return undefined;
  return { op: 'LogSoftmax', x, attrs: { axis } };
}
