import type { GraphBuilder } from '../../builder.ts';
import { opSpec } from '../../ops.ts';
import { symbolicSize } from '../../shapes.ts';
import type { Graph, Node } from '../../types.ts';
import { rewrite } from '../rewrite.ts';

/**
 * Products in float16, everything else in float32 (Micikevicius et al. 2018, "Mixed precision training"): the operands of each
 * float32 product are rounded, once per value, and its result is float32 again. State, feeds and results keep their types.
 * `emulated`: operands and result are rounded to float16, and the product itself is float32; for fixed shapes.
 */
export function halfProducts(graph: Graph, { emulated = false } = {}): Graph {
  const known = new Map<string, string>();
  const operand = (builder: GraphBuilder, value: string): string => {
    const made = known.get(value) ?? (emulated ? rounded(builder, value) : cast(builder, value, 'float16'));
    known.set(value, made);
    return made;
  };
  return rewrite(graph, (node, builder) => {
    if (opSpec(node.op).product === undefined || node.inputs.some((name) => builder.typeOf(name).dtype !== 'float32'))
      return undefined;
    const inputs = node.inputs.map((name) => operand(builder, name));
    const product = builder.op(node.op, inputs, node.attrs, node.layer);
    return [emulated ? rounded(builder, product, node) : cast(builder, product, 'float32', node)];
  });
}

function cast(builder: GraphBuilder, value: string, dtype: 'float16' | 'float32', node?: Node): string {
  return builder.op('Cast', [value], { dtype }, node?.layer);
}

/**
 * Value cast to float16 and back, with another shape in between: ONNX Runtime's cpu provider removes two casts in a row if nothing else
 * reads them, and nothing would be rounded.
 */
function rounded(builder: GraphBuilder, value: string, node?: Node): string {
  const { shape } = builder.typeOf(value);
  const flat = shape.length === 1 ? [1, ...shape] : [symbolicSize(shape).factor];
  const half = builder.op('Reshape', [cast(builder, value, 'float16', node)], { shape: flat }, node?.layer);
  return builder.op('Reshape', [cast(builder, half, 'float32', node)], { shape }, node?.layer);
}
