import { handsOn } from '../../../graph/ops.ts';
import type { Graph, Node } from '../../../graph/types.ts';
import type { AxisLabels, Channels, Labels } from './channels.ts';
import { headsOf } from '../heads.ts';
import { manyRules, channelRules } from './rules.ts';
import { zerosOf } from './zeros.ts';

/** The stored tensor that a value is, as it is or with its axes moved; undefined for a value that is computed. */
export function storedOf({ state, constants, nodes }: Graph): ReadonlyMap<string, string> {
  const stored = new Map([...state.keys(), ...constants.keys()].map((name) => [name, name]));
  for (const { op, inputs, outputs } of nodes) {
    const from = handsOn(op, 'cut') ? stored.get(inputs[0]!) : undefined;
    if (from !== undefined) for (const name of outputs) stored.set(name, from);
  }
  return stored;
}

/** Labels of every value, computed forward from inputs, state and constants; labels that an op ties together are joined. */
export function followChannels(graph: Graph, channels: Channels, labels: Map<string, Labels>): void {
  const shape = (name: string): number[] => graph.types.get(name)!.shape.map(Number);
  const stored = storedOf(graph);
  // Removed elements of a stored tensor count as 0.
  const zeros = new Map<string, ReadonlySet<number>>(
    [...labels].map(([name, axes]) => [name, new Set(axes.flatMap((axis) => axis ?? []))]),
  );
  for (const node of graph.nodes) {
    const { op, inputs, outputs, attrs } = node;
    const given = inputs.filter((name) => name !== '');
    // The scale, which comes last, may be missing.
    const rule = Object.hasOwn(channelRules, op) ? channelRules[op] : undefined;
    const many = Object.hasOwn(manyRules, op) ? manyRules[op] : undefined;
    if ((rule ?? many) === undefined || (op === 'FusedBatchNorm' && inputs[3] === '')) {
      const reason = `${nameOf(node)} reads its channels in another way (${op})`;
      for (const name of given) for (const axis of labels.get(name)!) channels.keep(axis, reason);
      for (const name of outputs) {
        labels.set(name, untracked(shape(name).length));
        zeros.set(name, new Set());
      }
      continue;
    }
    const input = {
      channels,
      labels: given.map((name) => labels.get(name)!),
      shapes: given.map(shape),
      output: shape(outputs[0]!),
      attrs,
      stored: given.map((name) => stored.has(name)),
      zeros: given.map((name) => zeros.get(name)!),
      heads: () => headsOf(graph, outputs[0]!),
      reason: `${nameOf(node)} needs its channels as they are (${op})`,
    };
    const results = many?.(input) ?? [rule!(input)];
    outputs.forEach((name, i) => {
      labels.set(name, results[i]!);
      zeros.set(name, zerosOf({ ...input, op }, results[i]!));
    });
  }
}

function nameOf({ layer }: Node): string {
  return layer ?? 'the model';
}

export function untracked(rank: number): Labels {
  return Array.from({ length: rank }, (): AxisLabels => null);
}
