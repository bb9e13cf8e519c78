import { symbolicSize } from '../../../graph/shapes.ts';
import type { DType, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import type { Layout } from './layout.ts';
import { isPlain, plainLayout } from './layout.ts';

/** Computation of a rule row on tensors that lie in one layout; dtype is that of the tensors it gets. */
export type Build = (c: Lowering, inputs: readonly string[], dtype: DType, node: Node) => string;

/** Types that ONNX Runtime has no kernel for, and the type to compute in instead. */
export type Through = Partial<Record<DType, DType | 'float64'>>;

export const onFloat: Through = { int32: 'float32', int64: 'float32', bool: 'float32' };
export const onNumbers: Through = { bool: 'int32' };

/** A rule that computes each element from the operands' elements at the same place; `build` knows no layouts. */
export interface ElementwiseRule extends Rule {
  readonly build: Build;
}

/** A row for an op that works element by element with broadcasting, in whatever layout its operands lie. */
export function elementwise(build: Build, through: Through = {}): ElementwiseRule {
  const rule: Rule = (node, c) => {
    const out = node.outputs[0]!;
    const { dtype, shape } = c.typeOf(out);
    const layout = commonLayout(c, node.inputs, shape.length);
    const from = c.typeOf(node.inputs[0]!).dtype;
    const to = through[from];
    const inputs = node.inputs.map((name) => {
      const tensor = c.aligned(name, shape.length, layout);
      const convert = to !== undefined && c.typeOf(name).dtype === from;
      return convert ? c.once(`cast ${tensor} ${to}`, () => c.cast(tensor, to)) : tensor;
    });
    const result = build(c, inputs, (to ?? from) as DType, node);
    c.define(out, to === undefined || dtype !== from ? result : c.cast(result, dtype), layout);
  };
  return Object.assign(rule, { build });
}

/** A row for an op of the same name and meaning in ONNX. */
export function same(op: string, through: Through = {}): ElementwiseRule {
  return elementwise((c, inputs) => c.one(op, inputs), through);
}

/** A row for an op that ONNX Runtime computes for floats only. */
export function floatsOnly(rule: Rule): Rule {
  return (node, c) => {
    const { dtype } = c.typeOf(node.inputs[0]!);
    if (!dtype.startsWith('float')) c.fail(node, `its operand is ${dtype}`, 'Cast the operand to float32 before it.');
    rule(node, c);
  };
}

/**
 * The layout for an op over several operands: the one for which the fewest elements must be transposed. Of equals, the
 * first operand's own one if nothing must be, else one that is not plain: it comes from a convolution and usually goes to one.
 */
export function commonLayout(c: Lowering, inputs: readonly string[], rank: number): Layout {
  const operands = [...new Set(inputs)]
    .filter((name) => c.shapeOf(name).length === rank && !c.graph.constants.has(name))
    .map((name) => ({ layouts: c.layoutsOf(name), elements: elements(c, name) }));
  const all = operands.flatMap(({ layouts }) => layouts);
  // Each once: a Concat may have thousands of operands of one layout.
  const candidates = [...new Map(all.map((layout) => [layout.join(), layout])).values()];
  const has = (layouts: readonly Layout[], layout: Layout): boolean =>
    layouts.some((other) => other.join() === layout.join());
  const cost = (layout: Layout): number =>
    operands.reduce((sum, { layouts, elements }) => sum + (has(layouts, layout) ? 0 : elements), 0);
  const least = Math.min(...candidates.map(cost));
  const best = candidates.filter((layout) => cost(layout) === least);
  const first = least === 0 ? best[0] : best.find((layout) => !isPlain(layout));
  return first ?? best[0] ?? plainLayout(rank);
}

function elements(c: Lowering, name: string): number {
  const { factor, power } = symbolicSize(c.shapeOf(name));
  return factor * 1024 ** power;
}
