import { macsOfNode } from '../../graph/macs.ts';
import type { AxisLabels, Labels } from './cut/channels.ts';
import type { Dependencies } from './groups.ts';

export type BudgetTarget = 'channels' | 'macs' | 'parameters';

export interface Costs {
  /** Number of channels that can be removed at all. */
  readonly channels: number;
  /** Multiply-accumulates for one sample. */
  readonly macs: number;
  readonly parameters: number;
}

/** Costs of the model when `kept[g]` channels of each group are left. */
export type CostsOf = (kept: readonly number[]) => Costs;

/** A product of axis sizes that shrinks with the groups that its axes belong to. */
interface Term {
  readonly base: number;
  readonly axes: readonly Axis[];
}
interface Axis {
  readonly size: number;
  /** Positions of the axis by group. */
  readonly held: readonly (readonly [group: number, positions: number])[];
}

/**
 * The multiply-accumulates of a convolution or a dense layer go as the size of its filter, so both kinds of cost are sums
 * of weight sizes.
 */
export function costModel({ graph, labels, groups, groupOf }: Dependencies): CostsOf {
  const axesOf = (name: string): Axis[] => axes(labels.get(name)!, groupOf);
  const shape = (name: string): readonly number[] => (name === '' ? [] : graph.types.get(name)!.shape.map(Number));
  const parameters = [...graph.state].map(([name, { shape: of }]): Term => {
    return { base: of.reduce<number>((total, size) => total * Number(size), 1), axes: axesOf(name) };
  });
  const work = graph.nodes.flatMap((node): Term[] => {
    const base = macsOfNode(node, shape);
    return base === 0 ? [] : [{ base, axes: axesOf(node.inputs[1]!) }];
  });
  return (kept) => {
    const left = groups.map(({ channels }, i) => kept[i]! / channels);
    const sum = (terms: readonly Term[]): number => terms.reduce((total, term) => total + valueOf(term, left), 0);
    return {
      channels: kept.reduce((total, count) => total + count, 0),
      macs: Math.round(sum(work)),
      parameters: Math.round(sum(parameters)),
    };
  };
}

function axes(labels: Labels, groupOf: Dependencies['groupOf']): Axis[] {
  return labels.flatMap((axis: AxisLabels) => {
    if (axis === null) return [];
    const counts = new Map<number, number>();
    for (const label of axis) {
      const group = groupOf(label);
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return counts.size === 0 ? [] : [{ size: axis.length, held: [...counts] }];
  });
}

function valueOf({ base, axes: of }: Term, left: readonly number[]): number {
  return of.reduce((value, { size, held }) => {
    const lost = held.reduce((sum, [group, positions]) => sum + positions * (1 - left[group]!), 0);
    return value * (1 - lost / size);
  }, base);
}
