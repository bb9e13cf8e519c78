import { symbolicSize } from '../../../../graph/shapes.ts';
import type { Node } from '../../../../graph/types.ts';
import { elementwise as plainRow } from '../rules.ts';
import type { ElementwiseRule } from '../rules.ts';
import { scaleAndShift } from './affine.ts';
import type { Blocked, BlockedRule, PictureSizes } from './context.ts';
import { isVector } from './epilogue.ts';
import { mask } from './mask.ts';
import { addPhases } from './phases.ts';

/** Ops that give 0 for zeros, so that channels which only fill up a block stay zero. */
const KEEPS_ZERO = new Set(
  'Identity Abs Ceil Elu Erf Expm1 Floor Gelu HardSwish LeakyRelu Log1p Neg Relu Relu6 Round Selu Sign Sin Sinh Sqrt'
    .concat(
      ' Square Swish Tan Tanh Add Sub Multiply Maximum Minimum SquaredDifference Prelu EluGrad ReluGrad Relu6Grad Step',
    )
    .split(' '),
);

/** Any op that works element by element, on operands in blocks; the arithmetic itself is the plain rule's. */
export function elementwise(rule: ElementwiseRule): BlockedRule {
  return (node, b) => {
    const out = node.outputs[0]!;
    const sizes = b.sizesOf(out);
    if (sizes === undefined || !node.inputs.some((name) => isWhole(b, name, sizes) && b.has(name))) return false;
    if (!node.inputs.every((name) => b.c.typeOf(name).dtype === 'float32')) return false;
    if (b.filled(sizes[3]) !== sizes[3] && !keepsZero(node, b)) return false;
    if (phasedSum(node, b) || perChannel(node, b, sizes)) return true;
    const operands = node.inputs.map((name) => operandOf(b, name, sizes));
    if (operands.some((operand) => operand === undefined)) return false;
    const build = GRADIENTS[node.op]?.(b, b.filled(sizes[3])) ?? rule.build;
    const spread = operands.some((operand) => operand!.spread);
    const tensors = operands.map((operand) => (spread ? operand!.split() : operand!.whole()));
    const result = build(b.c, tensors, 'float32', node);
    b.define(out, spread ? b.reshape(result, [sizes[0], b.filled(sizes[3]), sizes[1], sizes[2]]) : result);
    return true;
  };
}

function keepsZero(node: Node, b: Blocked): boolean {
  const isNumber = (name: string): boolean => elements(b, name) === 1;
  if (node.op === 'Multiply' || node.op === 'FakeQuant' || node.op === 'FakeQuantGrad') return true;
  if (node.op === 'RealDiv') return isNumber(node.inputs[1]!);
  return KEEPS_ZERO.has(node.op) && !node.inputs.some(isNumber);
}

function elements(b: Blocked, name: string): number {
  const { factor, power } = symbolicSize(b.c.shapeOf(name));
  return power === 0 ? factor : Infinity;
}

function isWhole(b: Blocked, name: string, sizes: PictureSizes): boolean {
  return b.c.shapeOf(name).join() === sizes.join();
}

/** Gradients by a mask, which is faster than a comparison. */
const GRADIENTS: Readonly<Record<string, (b: Blocked, channels: number) => ElementwiseRule['build']>> = {
  ReluGrad: () => plainReluGrad.build,
  Relu6Grad:
    (b, channels) =>
    (c, [dy, y]) =>
      c.one('Mul', [dy!, bandMask(b, y!, channels)]),
};

/** Gradient of ReLU in any other layout, by a mask as well. */
const plainReluGrad: ElementwiseRule = plainRow((c, [dy, y]) => c.one('Mul', [dy!, mask(c, y!)]));

export function reluGrad(rule: ElementwiseRule): BlockedRule {
  const inBlocks = elementwise(rule);
  return (node, b) => {
    if (inBlocks(node, b)) return true;
    if (b.c.typeOf(node.outputs[0]!).dtype !== 'float32') return false;
    plainReluGrad(node, b.c);
    return true;
  };
}

/** Powers of two, so that all products are exact; 2^21 · (6 - y) is at least 1 for each float y below 6. */
const [RISE, FALL] = [2 ** 126, 2 ** 21];

/**
 * 1 where 0 < y < 6, else 0, of y in blocks: the sum of a slope that rises through 0 at once and of one that falls to 0 at 6, cut to [0, 1]. Two
 * passes that write, where a mask for each limit and their product are three.
 */
function bandMask(b: Blocked, y: string, channels: number): string {
  const slope = (factor: number, [least, most]: readonly [number, number], inputs: readonly string[] = []): string => {
    const attrs = { activation: 'Clip', activation_params: { floats: [least, most] } };
    return scaleAndShift(b, y, channels, b.constant([channels], factor), undefined, { inputs, attrs });
  };
  return slope(-FALL, [0, 1], [slope(RISE, [-3e38, 6 * FALL])]);
}

/** Two strided gradients that lie in phases are added phase by phase. */
function phasedSum({ op, inputs, outputs }: Node, b: Blocked): boolean {
  if (op !== 'Add') return false;
  const [one, other] = inputs.map((name) => b.phasesOf(name));
  const sum = one && other && addPhases(b, one, other);
  if (sum === undefined) return false;
  b.definePhased(outputs[0]!, sum);
  return true;
}

/** Products and sums with a vector over the channels. */
function perChannel({ op, inputs, outputs }: Node, b: Blocked, sizes: PictureSizes): boolean {
  const [x, vector] = b.has(inputs[0]!) ? inputs : [inputs[1], inputs[0]];
  if (x === undefined || vector === undefined || !isWhole(b, x, sizes) || !isVector(b, vector, x)) return false;
  if (op !== 'Multiply' && op !== 'Add') return false;
  const channels = b.filled(sizes[3]);
  const filled = b.filledVector(b.c.plain(vector), sizes[3]);
  const result =
    op === 'Multiply'
      ? scaleAndShift(b, b.get(x)!, channels, filled)
      : scaleAndShift(b, b.get(x)!, channels, b.constant([channels], 1), filled);
  b.define(outputs[0]!, result);
  return true;
}

interface Operand {
  /** True if it must be stretched along some axis, but not all. */
  readonly spread: boolean;
  readonly whole: () => string;
  /** [batch, blocks, pixels, channels of a block], each its own size or 1. */
  readonly split: () => string;
}

function operandOf(b: Blocked, name: string, [n, h, w, channels]: PictureSizes): Operand | undefined {
  const shape = b.c.shapeOf(name);
  if (elements(b, name) === 1) {
    // Of rank 4 at most, so that it stretches as it is.
    return shape.length > 4 ? undefined : { spread: false, whole: () => b.c.plain(name), split: () => b.c.plain(name) };
  }
  const blocks = b.filled(channels) / b.size;
  const full = [...new Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...(shape as number[])];
  if (full.join() === [n, h, w, channels].join()) {
    if (b.sizesOf(name) === undefined) return undefined;
    return {
      spread: false,
      whole: () => b.get(name)!,
      split: () => b.reshape(b.get(name)!, [n, blocks, h * w, b.size]),
    };
  }
  const [batch, rows, columns, depth] = full as [number, number, number, number];
  const pixels = rows * columns;
  if (full.length !== 4 || (pixels !== 1 && pixels !== h * w) || (depth !== 1 && b.filled(channels) !== channels))
    return undefined;
  const to = depth === 1 ? [batch, 1, pixels, 1] : [batch, blocks, 1, b.size];
  if (depth !== 1 && pixels !== 1) return undefined;
  return { spread: true, whole: () => '', split: () => b.c.reshape(b.c.plain(name), shape, to) };
}
