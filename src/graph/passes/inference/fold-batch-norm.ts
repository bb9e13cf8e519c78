import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Node } from '../../types.ts';
import { usesOf } from '../uses.ts';
import type { Replacement } from '../rewrite.ts';
import { rewrite } from '../rewrite.ts';
import { removeDeadCode } from '../simplify/dead-code.ts';

/**
 * Folds a batch norm with fixed statistics into the convolution or matrix product before it, with or without a bias between
 * (Jacob et al. 2018, equation 14): w' = w · s, b' = offset + (b - mean) · s, s = scale / sqrt(variance + epsilon). What the
 * weights become is computed in the graph: constant folding makes constants of it. A batch norm whose input is used elsewhere, or
 * whose weights are not fixed, stays. One without a scale of its own keeps the order of values, so it is folded through a max pooling
 * too: the largest of a window is the same before and after it.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const uses = usesOf(graph);
  return removeDeadCode(
    rewrite(graph, (node, builder) => (node.op === 'FusedBatchNorm' ? folded(node, builder, uses) : undefined)),
  );
}

const LINEAR = ['Conv2D', 'DepthwiseConv2dNative', 'BatchMatMul'];

function folded(norm: Node, builder: GraphBuilder, uses: ReadonlyMap<string, number>): Replacement {
  const [x, mean, variance, offset, scale] = norm.inputs as [string, string, string, string, string];
  if (uses.get(x) !== 1) return undefined;
  const pool = scale === '' ? poolOf(x, builder) : undefined;
  const normed = pool?.inputs[0] ?? x;
  if (uses.get(normed) !== 1) return undefined;
  const biased = biasOf(normed, builder);
  const product = biased?.product ?? normed;
  const linear = builder.producerOf(product);
  if (linear === undefined || !LINEAR.includes(linear.op) || uses.get(product) !== 1) return undefined;
  const weights = linear.inputs[1]!;
  const values = [weights, mean, variance, offset, scale, biased?.bias ?? ''];
  if (!values.every((name) => name === '' || isFixed(name, builder))) return undefined;

  const add = (op: string, inputs: readonly string[], attrs: Node['attrs'] = {}): string =>
    builder.op(op, inputs, attrs, linear.layer);
  const epsilon = builder.constant({ dtype: 'float32', shape: [] }, Float32Array.of(norm.attrs.epsilon as number));
  const inverse = add('Rsqrt', [add('Add', [variance, epsilon])]);
  const factor = scale === '' ? inverse : add('Multiply', [inverse, scale]);
  const across = add('Reshape', [factor], { shape: factorShape(linear, builder) });
  const scaled = add('Multiply', [weights, across]);
  const centred = biased === undefined ? add('Neg', [mean]) : add('Sub', [biased.bias, mean]);
  const moved = add('Multiply', [centred, factor]);
  const bias = offset === '' ? moved : add('Add', [moved, offset]);
  const sum = add('Add', [add(linear.op, [linear.inputs[0]!, scaled], linear.attrs), bias]);
  return pool === undefined ? [sum] : builder.node(pool.op, [sum], pool.attrs, { layer: pool.layer });
}

function poolOf(x: string, builder: GraphBuilder): Node | undefined {
  const node = builder.producerOf(x);
  return node?.op === 'MaxPool' ? node : undefined;
}

/** `x` as a product plus a bias per channel. */
function biasOf(x: string, builder: GraphBuilder): { product: string; bias: string } | undefined {
  const sum = builder.producerOf(x);
  if (sum?.op !== 'Add') return undefined;
  const perChannel = (name: string): boolean => {
    const { shape } = builder.typeOf(name);
    return shape.length === 1 && shape[0] === builder.typeOf(x).shape.at(-1) && isFixed(name, builder);
  };
  const [a, b] = sum.inputs as [string, string];
  if (perChannel(b)) return { product: a, bias: b };
  return perChannel(a) ? { product: b, bias: a } : undefined;
}

/** Shape of one factor for each output channel, to be broadcast over the weights. */
function factorShape({ op, inputs, attrs }: Node, builder: GraphBuilder): number[] {
  const shape = builder.typeOf(inputs[1]!).shape as readonly number[];
  if (op === 'DepthwiseConv2dNative') return [shape[2]!, shape[3]!];
  if (op === 'BatchMatMul' && attrs.transposeB === true) return [shape.at(-2)!, 1];
  return [shape.at(-1)!];
}

function isFixed(name: string, builder: GraphBuilder): boolean {
  return builder.constantOf(name) !== undefined || builder.isState(name);
}
