import type { Skipped } from '../../../base/skipped.ts';
import { compact } from './compact.ts';
import type { Model, OnnxNode, OnnxTensor } from '../model.ts';

export interface Replacing {
  /** Stored tensors of the model, by name. */
  readonly stored: ReadonlyMap<string, OnnxTensor>;
  /** New tensors for the new nodes, by name. */
  readonly added: Map<string, OnnxTensor>;
  /** Layers that stay unchanged. */
  readonly skipped: Skipped[];
}

/** Replaces each node of a model by others, and drops stored tensors that become unused. */
export function replaceNodes(
  model: Model,
  replace: (node: OnnxNode, into: Replacing) => OnnxNode[],
): { result: Model; skipped: Skipped[] } {
  const { graph } = model;
  const stored = new Map(graph.initializers.map((t) => [t.name, t]));
  const added = new Map<string, OnnxTensor>();
  const skipped: Skipped[] = [];
  const nodes = graph.nodes.flatMap((node) => replace(node, { stored, added, skipped }));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [...graph.initializers, ...added.values()].filter(({ name }) => used.has(name));
  return { result: compact({ ...model, graph: { ...graph, nodes, initializers } }), skipped };
}
