import type { Skipped } from '../../base/skipped.ts';
import type { Graph } from '../../graph/types.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { atBatch } from '../../graph/passes/inputs/at-batch.ts';
import { traceProgram } from '../../trace/trace.ts';
import { predictionProgram } from '../../train/evaluate/inference.ts';
import type { Labels, Role, WeightAxis } from './cut/channels.ts';
import { Channels } from './cut/channels.ts';
import { followChannels, storedOf, untracked } from './cut/flow.ts';

/** An axis of a weight that a group reaches into: `positions[c]` are the positions of the group's channel c. */
export interface GroupMember {
  readonly weight: string;
  /** The layer that computes with it. */
  readonly layer: string;
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
  /** All layers that produce the channels, e.g. the layers that meet in a residual add. */
  readonly layers: readonly string[];
  readonly channels: number;
  readonly members: readonly GroupMember[];
}

export interface Dependencies {
  readonly groups: readonly ChannelGroup[];
  readonly skipped: readonly Skipped[];
  /** The inference graph for one sample, by whose values `labels` goes. */
  readonly graph: Graph;
  readonly labels: ReadonlyMap<string, Labels>;
  /** The group that a label belongs to, by its place in `groups`. */
  readonly groupOf: (label: number) => number | undefined;
  /** The same, and which of the group's channels it is. */
  readonly channelOf: (label: number) => readonly [group: number, channel: number] | undefined;
}

/**
 * Groups of channels that can only be removed together, read off the inference graph of a model (Fang et al. 2023, "DepGraph"). A model
 * that is a graph is read as it is, a tfjs-layers model is traced first.
 */
export function dependencies(network: ModelNetwork): Dependencies {
  return network.graph === undefined ? ofLayers(network) : ofGraph(network.graph, network.rigid());
}

function ofLayers(network: ModelNetwork): Dependencies {
  const frozen = network.rigid();
  const probes = [...frozen.keys()].filter((name) => Object.hasOwn(network.layers, name));
  const graph = traceProgram(predictionProgram({ network, batchSize: 1, features: probes }));
  const cannot = (layer: string): string => `${layer} (${frozen.get(layer)}) cannot be resized`;
  const layerOf = (weight: string): string => weight.slice(0, weight.indexOf('/'));
  const channels = new Channels();
  const labels = new Map<string, Labels>();
  for (const [name, { type }] of graph.constants) labels.set(name, untracked(type.shape.length));
  for (const [name, { shape }] of graph.state) {
    const axes = channels.weight(name, shape.map(Number));
    labels.set(name, axes);
    const layer = layerOf(name);
    if (frozen.has(layer)) for (const axis of axes) channels.keep(axis, cannot(layer));
  }
  const isOutput = (name: string): boolean => Object.hasOwn(network.outputs, name);
  return found(graph, channels, labels, { layerOf, reasonOf: (name) => (isOutput(name) ? OUTPUTS : cannot(name)) });
}

const OUTPUTS = 'its channels are the outputs of the model';

/** Constants of a graph become smaller with its weights: whatever has the size of a layer. */
function ofGraph({ value }: NonNullable<ModelNetwork['graph']>, rigid: ReadonlyMap<string, string>): Dependencies {
  const graph = atBatch(value, 1);
  const channels = new Channels();
  const labels = new Map<string, Labels>();
  for (const [name, { type }] of graph.constants) labels.set(name, channels.weight(name, type.shape.map(Number)));
  for (const [name, { shape }] of graph.state) {
    const axes = channels.weight(name, shape.map(Number));
    labels.set(name, axes);
    const why = rigid.get(name);
    if (why !== undefined) for (const axis of axes) channels.keep(axis, `${name} ${why}`);
  }
  const readers = readersOf(graph);
  return found(graph, channels, labels, {
    layerOf: (weight) => readers.get(weight) ?? weight,
    reasonOf: () => OUTPUTS,
  });
}

/** The operator that computes with each stored tensor, the first where there are several. */
function readersOf(graph: Graph): ReadonlyMap<string, string> {
  const stored = storedOf(graph);
  const readers = new Map<string, string>();
  for (const { inputs, outputs, layer } of graph.nodes) {
    if (stored.has(outputs[0]!)) continue;
    for (const name of inputs) {
      const weight = stored.get(name);
      if (weight !== undefined && !readers.has(weight)) readers.set(weight, layer ?? outputs[0]!);
    }
  }
  return readers;
}

function found(
  graph: Graph,
  channels: Channels,
  labels: Map<string, Labels>,
  { layerOf, reasonOf }: { layerOf: (weight: string) => string; reasonOf: (output: string) => string },
): Dependencies {
  for (const [name, { shape }] of graph.inputs) labels.set(name, untracked(shape.length));
  followChannels(graph, channels, labels);
  for (const [name, value] of graph.outputs) for (const axis of labels.get(value)!) channels.keep(axis, reasonOf(name));
  return { ...grouped(channels, layerOf), graph, labels };
}

/** Channels that the same axes hold make a group. */
function grouped(
  channels: Channels,
  layerOf: (weight: string) => string,
): Pick<Dependencies, 'groups' | 'skipped' | 'groupOf' | 'channelOf'> {
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
      const what = [...new Set(makers)].join(', ');
      skipped.set(`${what}: ${reason}`, { what, why: reason });
      continue;
    }
    const signature = held.map(({ axis, positions }) => `${axis.weight}:${axis.axis}:${positions.length}`).join(' ');
    bySignature.set(signature, [...(bySignature.get(signature) ?? []), root]);
  }
  const groups: ChannelGroup[] = [];
  const placeOf = new Map<number, readonly [group: number, channel: number]>();
  for (const roots of bySignature.values()) {
    const first = holders.get(roots[0]!)!;
    const layers = [
      ...new Set(first.filter(({ axis }) => axis.role === 'out').map(({ axis }) => layerOf(axis.weight))),
    ];
    roots.forEach((root, channel) => placeOf.set(root, [groups.length, channel]));
    groups.push({
      name: layers[0]!,
      layers,
      channels: roots.length,
      members: first.map(({ axis }, i) => ({
        weight: axis.weight,
        layer: layerOf(axis.weight),
        axis: axis.axis,
        role: axis.role,
        isGate: axis.isGate === true,
        positions: roots.map((root) => holders.get(root)![i]!.positions),
      })),
    });
  }
  const channelOf = (label: number) => placeOf.get(channels.find(label));
  return { groups, skipped: [...skipped.values()], groupOf: (label) => channelOf(label)?.[0], channelOf };
}
