import type { Graph } from '../../graph/types.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { traceProgram } from '../../trace/trace.ts';
import { predictionProgram } from '../../train/inference.ts';
import type { AxisLabels, Labels, Role, WeightAxis } from './channels.ts';
import { Channels } from './channels.ts';
import { rules } from './rules.ts';

export interface Skipped {
  readonly what: string;
  readonly why: string;
}

/** An axis of a weight that a group reaches into: `positions[c]` are those of the group's channel c. */
export interface Member {
  readonly weight: string;
  readonly axis: number;
  readonly role: Role;
  /** A scale or offset that all of a layer's channels go through. */
  readonly isGate: boolean;
  readonly positions: readonly (readonly number[])[];
}

/** Channels that the same weights hold: any of them can go, and takes its position in every member along. */
export interface ChannelGroup {
  /** The first layer that makes these channels. */
  readonly name: string;
  /** All layers that make them, e.g. those that meet in a residual add. */
  readonly layers: readonly string[];
  readonly channels: number;
  readonly members: readonly Member[];
}

export interface Dependencies {
  readonly groups: readonly ChannelGroup[];
  readonly skipped: readonly Skipped[];
  /** The inference graph for one sample, by whose values `labels` goes. */
  readonly graph: Graph;
  readonly labels: ReadonlyMap<string, Labels>;
  /** The group that a label belongs to, by its place in `groups`. */
  readonly groupOf: (label: number) => number | undefined;
}

/** Which channels of a model depend on each other, read off its inference graph (Fang et al. 2023, "DepGraph"). */
export function dependencies(network: ModelNetwork): Dependencies {
  const frozen = network.rigid();
  const probes = [...frozen.keys()].filter((name) => Object.hasOwn(network.layers, name));
  const graph = traceProgram(predictionProgram({ network, batchSize: 1, features: probes }));

  const channels = new Channels();
  const labels = new Map<string, Labels>();
  const cannot = (layer: string): string => `${layer} (${frozen.get(layer)}) cannot be resized`;
  for (const [name, { shape }] of graph.inputs) labels.set(name, untracked(shape.length));
  for (const [name, { type }] of graph.constants) labels.set(name, untracked(type.shape.length));
  for (const [name, { shape }] of graph.state) {
    const axes = channels.weight(name, shape.map(Number));
    labels.set(name, axes);
    const layer = name.slice(0, name.indexOf('/'));
    if (frozen.has(layer)) for (const axis of axes) channels.keep(axis, cannot(layer));
  }
  follow(graph, channels, labels);
  for (const [name, value] of graph.outputs) {
    const why = name === 'logits' ? 'its channels are the outputs of the model' : cannot(name);
    for (const axis of labels.get(value)!) channels.keep(axis, why);
  }
  return { ...grouped(channels), graph, labels };
}

function follow(graph: Graph, channels: Channels, labels: Map<string, Labels>): void {
  const shape = (name: string): number[] => graph.types.get(name)!.shape.map(Number);
  for (const { op, inputs, outputs, attrs, layer } of graph.nodes) {
    const given = inputs.filter((name) => name !== '');
    const rule = Object.hasOwn(rules, op) ? rules[op] : undefined;
    if (rule === undefined || (op === 'FusedBatchNorm' && given.length < inputs.length)) {
      const reason = `${layer ?? 'the model'} reads its channels in another way (${op})`;
      for (const name of given) for (const axis of labels.get(name)!) channels.keep(axis, reason);
      for (const name of outputs) labels.set(name, untracked(shape(name).length));
      continue;
    }
    labels.set(
      outputs[0]!,
      rule({
        channels,
        labels: given.map((name) => labels.get(name)!),
        shapes: given.map(shape),
        output: shape(outputs[0]!),
        attrs,
        reason: `${layer ?? 'the model'} needs its channels as they are (${op})`,
      }),
    );
  }
}

function untracked(rank: number): Labels {
  return Array.from({ length: rank }, (): AxisLabels => null);
}

/** Channels that the same axes hold make a group. */
function grouped(channels: Channels): Pick<Dependencies, 'groups' | 'skipped' | 'groupOf'> {
  const holders = new Map<number, { axis: WeightAxis; positions: number[] }[]>();
  for (const axis of channels.axes) {
    axis.labels.forEach((label, position) => {
      const root = channels.find(label);
      const held = holders.get(root) ?? [];
      holders.set(root, held);
      if (held.at(-1)?.axis === axis) held.at(-1)!.positions.push(position);
      else held.push({ axis, positions: [position] });
    });
  }
  const bySignature = new Map<string, number[]>();
  const skipped = new Map<string, Skipped>();
  for (const [root, held] of holders) {
    const makers = held.filter(({ axis }) => axis.role === 'out').map(({ axis }) => layerOf(axis.weight));
    if (makers.length === 0) continue;
    const reason = channels.reason(root);
    if (reason !== undefined) {
      const what = makers.join(', ');
      skipped.set(`${what}: ${reason}`, { what, why: reason });
      continue;
    }
    const signature = held.map(({ axis, positions }) => `${axis.weight}:${axis.axis}:${positions.length}`).join(' ');
    bySignature.set(signature, [...(bySignature.get(signature) ?? []), root]);
  }
  const groups: ChannelGroup[] = [];
  const groupOf = new Map<number, number>();
  for (const roots of bySignature.values()) {
    const first = holders.get(roots[0]!)!;
    const layers = [
      ...new Set(first.filter(({ axis }) => axis.role === 'out').map(({ axis }) => layerOf(axis.weight))),
    ];
    for (const root of roots) groupOf.set(root, groups.length);
    groups.push({
      name: layers[0]!,
      layers,
      channels: roots.length,
      members: first.map(({ axis }, i) => ({
        weight: axis.weight,
        axis: axis.axis,
        role: axis.role,
        isGate: axis.isGate === true,
        positions: roots.map((root) => holders.get(root)![i]!.positions),
      })),
    });
  }
  return { groups, skipped: [...skipped.values()], groupOf: (label) => groupOf.get(channels.find(label)) };
}

function layerOf(weight: string): string {
  return weight.slice(0, weight.indexOf('/'));
}
