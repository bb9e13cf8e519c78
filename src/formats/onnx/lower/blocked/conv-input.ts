import { windowed } from '../../../../graph/ops/linear.ts';
import type { Node } from '../../../../graph/types.ts';
import { windowOf } from '../window.ts';
import type { Blocked, BlockedRule } from './context.ts';
import { define as defineResult, epilogueInputs, withSum } from './epilogue.ts';
import type { Epilogue } from './epilogue.ts';
import { backward, depthwiseFilter, filterOf } from './filters.ts';
import { partSize } from './phases.ts';

/** One axis of the gradient at one phase: which taps, in the order of the correlation, and how dy is padded. */
interface Taps {
  readonly taps: readonly number[];
  readonly pads: readonly [number, number];
}

/**
 * The gradient of the input at positions p, p + stride, ...: there dx = Σ dy[i + t] · w[tap(t)] over the offsets t for which
 * the tap p + before - stride · t exists. Offsets that the padding cannot express are filled up with zero taps.
 */
function phaseTaps(
  p: number,
  { size, stride, before, large, small }: Readonly<Record<'size' | 'stride' | 'before' | 'large' | 'small', number>>,
): Taps | undefined {
  const outputs = Math.ceil(large / stride);
  const offsets = Array.from({ length: size }, (_, tap) => (p + before - tap) / stride).filter(Number.isInteger);
  if (offsets.length === 0) return undefined;
  const from = Math.min(0, ...offsets);
  const to = Math.max(...offsets, small - outputs);
  const taps = Array.from({ length: to - from + 1 }, (_, i) => {
    const tap = p + before - stride * (from + i);
    return tap >= 0 && tap < size ? tap : -1;
  });
  return { taps, pads: [-from, outputs - small + to] };
}

/** A convolution of dy with the taps [rows][columns], -1 being none; `epilogue` is what the filter's followers are. */
type Conv = (taps: readonly (readonly number[])[], pads: readonly number[], epilogue: Epilogue) => string;

function define(node: Node, b: Blocked, conv: Conv, size: readonly [number, number]): boolean {
  const { strides, pads } = windowOf(node.attrs);
  const out = node.outputs[0]!;
  const [large, small] = [b.c.shapeOf(out) as number[], b.c.shapeOf(node.inputs[0]!) as number[]];
  const along = (axis: 0 | 1): (Taps | undefined)[] => {
    const place = { size: size[axis], stride: strides[axis], before: pads[2 * axis]! };
    const sizes = { large: large[axis + 1]!, small: small[axis + 1]! };
    return Array.from({ length: strides[axis] }, (_, p) => phaseTaps(p, { ...place, ...sizes }));
  };
  const [rows, columns] = [along(0), along(1)];
  // A second gradient that is there already is added on the way.
  const epilogue = strides[0] * strides[1] === 1 ? withSum(b, { out }) : { out, through: [] };
  const parts = rows.flatMap((row) =>
    columns.map((column) => {
      if (row === undefined || column === undefined) return undefined;
      const taps = row.taps.map((r) => column.taps.map((q) => (r < 0 || q < 0 ? -1 : r * size[1] + q)));
      return conv(taps, [row.pads[0], column.pads[0], row.pads[1], column.pads[1]], epilogue);
    }),
  );
  if (parts.length === 1 && parts[0] !== undefined) defineResult(b, epilogue, parts[0]);
  else b.definePhased(out, { strides, parts });
  return true;
}

/** dy must be what a convolution of the input gives: a transposed convolution may have another size. */
function regular(node: Node, b: Blocked, size: readonly [number, number]): boolean {
  const { strides, dilations, pads } = windowOf(node.attrs);
  const [dy, out] = [b.sizesOf(node.inputs[0]!), b.sizesOf(node.outputs[0]!)];
  if (dy === undefined || out === undefined || dilations.some((dilation) => dilation !== 1)) return false;
  return [0, 1].every((i) => {
    const expected = windowed(out[i + 1]!, size[i]!, strides[i]!, 1, pads[2 * i]!, pads[2 * i + 1]!);
    return dy[i + 1] === expected && partSize(out, strides)[i]! > 0;
  });
}

/** The convolution itself: `filter` gives the weights of some taps. */
function convOf(b: Blocked, dy: string, group: number, filter: (taps: Parameters<Conv>[0]) => string): Conv {
  return (taps, pads, epilogue) => {
    const { inputs, attrs } = epilogueInputs(b, epilogue, undefined);
    const window = { kernel_shape: [taps.length, taps[0]!.length], pads, group, ...attrs };
    return b.nchwc('Conv', [b.unscaled(dy)!, filter(taps), ...inputs], window);
  };
}

export const conv2dBackpropInput: BlockedRule = (node, b) => {
  const [dy, filter] = node.inputs as [string, string];
  const size = b.c.shapeOf(filter).slice(0, 2) as [number, number];
  if (!regular(node, b, size)) return false;
  const weights = filterOf(b, filter, { channels: true });
  const factor = b.factorOf(dy);
  const tensor = factor === undefined ? weights.tensor : b.c.one('Mul', [weights.tensor, factor]);
  return define(
    node,
    b,
    convOf(b, dy, 1, (taps) => backward(b, { ...weights, tensor }, taps)),
    size,
  );
};

export const depthwiseBackpropInput: BlockedRule = (node, b) => {
  const [dy, filter] = node.inputs as [string, string];
  const [height, width, channels, multiplier] = b.c.shapeOf(filter) as [number, number, number, number];
  if (multiplier !== 1 || !regular(node, b, [height, width])) return false;
  const conv = convOf(b, dy, b.filled(channels), (taps) => depthwiseFilter(b, filter, taps, b.factorOf(dy)));
  return define(node, b, conv, [height, width]);
};
