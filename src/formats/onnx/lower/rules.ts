import { symbolicSize } from '../../../graph/shapes.ts';
import type { DType, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import type { Layout } from './layout.ts';
import { isPlain, plainLayout } from './layout.ts';

/** Computation of a rule on tensors of equal layout; dtype: theirs. */
export type Build = (c: Lowering, inputs: readonly string[], dtype: DType, node: Node) => string;

/** Types without a kernel in ONNX Runtime, with the type to compute in instead. */
export type Through = Partial<Record<DType, DType | 'float64'>>;

export const onFloat: Through = { int32: 'float32', int64: 'float32', bool: 'float32' };
export const onNumbers: Through = { bool: 'int32' };

/** A rule for an elementwise op; `build` does not depend on layouts. */
export interface ElementwiseRule extends Rule {
  readonly build: Build;
}

/** Rule for an elementwise op with broadcasting, in any layout of its operands. */
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

/** Rule for an op with the same name and meaning in ONNX. */
export function same(op: string, through: Through = {}): ElementwiseRule {
  return elementwise((c, inputs) => c.one(op, inputs), through);
}

/** Rule for an op that ONNX Runtime supports for floats only. */
export function floatsOnly(rule: Rule): Rule {
  return (node, c) => {
    const { dtype } = c.typeOf(node.inputs[0]!);
    if (!dtype.startsWith('float')) c.fail(node, `its operand is ${dtype}`, 'Cast the operand to float32 before it.');
    rule(node, c);
  };
}

/**
 * Layout for an op over several operands: the one that needs the fewest elements transposed. Of equals, the first operand's if nothing is transposed,
 * else one that is not plain: it comes from a convolution and usually goes to one.
 */
export function commonLayout(c: Lowering, inputs: readonly string[], rank: number): Layout {
  const operands = [...new Set(inputs)]
    .filter((name) => c.shapeOf(name).length === rank && !c.graph.constants.has(name))
    .map((name) => ({ layouts: c.layoutsOf(name), elements: elements(c, name) }));
  const all = operands.flatMap(({ layouts }) => layouts);
  // Distinct layouts: a Concat may have thousands of operands of the same.
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
