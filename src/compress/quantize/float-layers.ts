import { nearest, UserError } from '../../base/errors.ts';
import { isFrontEnd } from '../../graph/front-end.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import { isLayer } from '../../graph/quantization.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { quantizableLayers } from './layers.ts';

/** The layers that a step keeps in float, and what brings answers to the label's units; `UserError` for one that the model does not have. */
export function keptFloat(
  { keepFloat }: { readonly keepFloat: readonly string[] },
  graph: Graph,
  { answers, fields }: { readonly answers: string; readonly fields: readonly unknown[] },
): string[] {
  const known = new Set(graph.nodes.map(({ layer, outputs }) => layer ?? outputs[0]!));
  for (const name of keepFloat) {
    if (known.has(name)) continue;
    const meant = nearest(name, known);
    throw new UserError(
      `quantize.keepFloat: expected a layer of the model, received ${name}`,
      meant === undefined ? `Layers with weights: ${quantizableLayers(graph).join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  // Of several fields, such as boxes and scores, some are numbers with a unit.
  const hasUnits = answers === 'values' || fields.length > 1;
  return [
    ...new Set([
      ...keepFloat,
      ...[...known].filter(isFrontEnd),
      ...(hasUnits ? unitsOf(graph, fields.length > 1) : []),
    ]),
  ];
}

/**
 * The last two ops before each output that scale and move its values by constants, see `scaledNetwork`; and the concatenation before them, whose parts
 * then keep scales of their own.
 */
function unitsOf(graph: Graph, isOfSeveral: boolean): string[] {
  const producers = producersOf(graph.nodes);
  return [...graph.outputs.values()].flatMap((output) => {
    const units = unitsOfOutput(graph, producers, output);
    return units.length === 0 && isOfSeveral ? movedBefore(producers, output) : units;
  });
}

function unitsOfOutput(graph: Graph, producers: ReadonlyMap<string, Node>, output: string): string[] {
  const found: string[] = [];
  let value = output;
  for (const op of ['Add', 'Multiply']) {
    const node = producers.get(value);
    const inner = node?.inputs.filter((name) => !graph.constants.has(name)) ?? [];
    if (node?.op !== op || inner.length !== 1) return [];
    found.push(node.layer ?? node.outputs[0]!);
    value = inner[0]!;
  }
  const joins = producers.get(value);
  return joins?.op === 'Concat' ? [...found, joins.layer ?? joins.outputs[0]!] : found;
}

/** Sums, products and moves before an output of several ops, as a detector from a file has them between its last layer and its boxes. */
const MOVES: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Multiply',
  'Concat',
  'Slice',
  'Split',
  'Transpose',
  'Reshape',
]);

/** The last ops before an output, up to the layers with weights, if it is a sum or a product of them. */
function movedBefore(producers: ReadonlyMap<string, Node>, output: string): string[] {
  const found = new Set<Node>();
  const visit = (value: string): void => {
    const node = producers.get(value);
    if (node === undefined || !MOVES.has(node.op) || found.has(node)) return;
    // The bias of a layer stays with it.
    const before = node.inputs.flatMap((one) => producers.get(one) ?? []);
    if (before.some(({ op }) => isLayer(op))) return;
    found.add(node);
    node.inputs.forEach(visit);
  };
  visit(output);
  const computes = [...found].some(({ op }) => op === 'Multiply' || op === 'Sub');
  return computes ? [...found].map(({ layer, outputs }) => layer ?? outputs[0]!) : [];
}
