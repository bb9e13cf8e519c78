import { opSpec } from '../../graph/ops.ts';
import { magnitudes, weightedNodes } from '../../graph/quantization.ts';
import { usesOf } from '../../graph/passes/uses.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { biasesOf } from './layers.ts';
import { sliceOf, withChangedConstants } from './rounding.ts';

const SWEEPS = 20;
/**
 * Share of the largest weight of a layer below which a channel's weights count as vanished. Divided by the root of so small a number, its bias would be
 * larger than everything else in the tensor.
 */
const SILENT = 1e-6;

/** A layer, and the only layer that reads its output. */
export interface EqualizedPair {
  readonly first: Node;
  readonly second: Node;
}

/**
 * Cross-layer equalization (Nagel et al. 2019, section 4.1): channel i of a layer is divided by s_i = √(r₁ᵢ / r₂ᵢ) and the
 * layer that reads it multiplied, where r are the largest magnitudes of channel i in both. What the graph computes stays the
 * same, and the channels of one tensor come to lie in similar ranges. It works on pairs with nothing between them that a
 * positive factor does not pass through, swept over until nothing moves.
 */
export function equalize(graph: Graph): { result: Graph; pairs: readonly EqualizedPair[] } {
  const pairs = pairsOf(graph);
  const biases = biasesOf(graph);
  const changed = new Map<string, Float32Array>();
  const valuesOf = (name: string): Float32Array => {
    const known = changed.get(name) ?? (graph.constants.get(name)!.data as Float32Array).slice();
    changed.set(name, known);
    return known;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const moved = pairs.map(({ first, second }) => {
      const [a, b] = [sideOf(graph, first, 'out'), sideOf(graph, second, 'in')];
      const [before, after] = [
        magnitudes(valuesOf(a.name), a.shape, a.axis),
        magnitudes(valuesOf(b.name), b.shape, b.axis),
      ];
      const [leastBefore, leastAfter] = [before, after].map((all) => SILENT * Math.max(...all)) as [number, number];
      const factors = before.map((r, i) => (r > leastBefore && after[i]! > leastAfter ? Math.sqrt(r / after[i]!) : 1));
      scale(valuesOf(a.name), a, factors, (value, factor) => value / factor);
      scale(valuesOf(b.name), b, factors, (value, factor) => value * factor);
      const bias = biases.get(first.outputs[0]!);
      if (bias !== undefined) valuesOf(bias).forEach((value, i, all) => (all[i] = value / factors[i]!));
      return Math.max(...factors.map((factor) => Math.abs(Math.log(factor))));
    });
    if (Math.max(0, ...moved) < 1e-3) break;
  }
  return { result: withChangedConstants(graph, changed), pairs };
}

interface Side {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
}

/** The weights of a layer, and the axis of the channels that it gives or takes. */
function sideOf(graph: Graph, { op, inputs, attrs }: Node, side: 'in' | 'out'): Side {
  const name = inputs[1]!;
  const shape = graph.constants.get(name)!.type.shape as readonly number[];
  if (op === 'DepthwiseConv2dNative') return { name, shape, axis: 2 };
  if (op === 'Conv2D') return { name, shape, axis: side === 'in' ? 2 : 3 };
  const columns = attrs.transposeB === true ? shape.length - 2 : shape.length - 1;
  return { name, shape, axis: side === 'out' ? columns : 2 * shape.length - 3 - columns };
}

function scale(
  values: Float32Array,
  { shape, axis }: Side,
  factors: readonly number[],
  by: (a: number, b: number) => number,
) {
  const slice = sliceOf(shape, axis);
  for (let i = 0; i < values.length; i++) values[i] = by(values[i]!, factors[slice(i)]!);
}

export function pairsOf(graph: Graph): EqualizedPair[] {
  const uses = usesOf(graph);
  const results = new Set(graph.outputs.values());
  const biases = biasesOf(graph);
  const layers = weightedNodes(graph).filter(({ inputs }) => uses.get(inputs[1]!) === 1);
  const consumer = new Map(graph.nodes.flatMap((node) => node.inputs.map((name) => [name, node] as const)));
  const isLayer = new Set(layers);
  const next = (node: Node): Node | undefined => {
    let value = node.outputs[0]!;
    for (;;) {
      const reader = consumer.get(value);
      if (reader === undefined || uses.get(value) !== 1 || results.has(value)) return undefined;
      if (isLayer.has(reader)) return reader.inputs[0] === value ? reader : undefined;
      if (!passes(graph, reader, value, biases.has(value) && value === node.outputs[0])) return undefined;
      value = reader.outputs[0]!;
    }
  };
  return layers.flatMap((first) => {
    const multiplier = first.op === 'DepthwiseConv2dNative' ? graph.constants.get(first.inputs[1]!)!.type.shape[3] : 1;
    const rank = graph.constants.get(first.inputs[1]!)!.type.shape.length;
    const second = multiplier === 1 && (first.op !== 'BatchMatMul' || rank === 2) ? next(first) : undefined;
    if (second === undefined || !isPlainProduct(graph, second)) return [];
    return [{ first, second }];
  });
}

/** A dense layer with one matrix, that reads its operand as it lies. */
function isPlainProduct(graph: Graph, { op, inputs, attrs }: Node): boolean {
  return (
    op !== 'BatchMatMul' || (attrs.transposeA !== true && graph.constants.get(inputs[1]!)!.type.shape.length === 2)
  );
}

/** True if factors on the last axis of `value` come out of the node unchanged. */
function passes(graph: Graph, { op, attrs }: Node, value: string, isBias: boolean): boolean {
  if (opSpec(op).isHomogeneous === true) return true;
  const last = graph.types.get(value)!.shape.length - 1;
  if (op === 'Mean') return !(attrs.axes as readonly number[]).includes(last);
  if (op === 'Pad')
    return attrs.constantValue === 0 && (attrs.paddings as readonly number[]).slice(-2).every((n) => n === 0);
  return op === 'Add' && isBias;
}
