import { staticSize } from '../../../../graph/shapes.ts';
import { NCHW } from '../layout.ts';
import { onnxPads, windowOf } from '../window.ts';
import type { Blocked, BlockedRule, PictureSizes } from './context.ts';
import { define, epilogueInputs, epilogueOf } from './epilogue.ts';
import type { Epilogue } from './epilogue.ts';
import { filterOf, forwardFilter } from './filters.ts';
import { affineOf } from './affine.ts';
import { defineShifted } from './shift.ts';

export const conv2d: BlockedRule = (node, b) => {
  const [x, filter] = node.inputs as [string, string];
  const input = inputOf(b, x);
  if (b.sizesOf(node.outputs[0]!) === undefined || input === undefined) return false;
  const epilogue = epilogueOf(b, node.outputs[0]!);
  const { strides, dilations, pads } = windowOf(node.attrs);
  const weights = filterOf(b, filter, { channels: input.blocked });
  const shifted = defineShifted(b, epilogue, {
    input: input.tensor,
    blocked: input.blocked,
    sizes: b.c.shapeOf(x) as unknown as PictureSizes,
    filter: () => forwardFilter(b, weights),
    products: weights.height * weights.width * weights.channels,
    kernel: [weights.height, weights.width],
    strides,
    dilations,
    pads: onnxPads(pads),
    attrs: {},
  });
  if (shifted) return true;
  const { filter: tensor, bias } = biased(b, weights.tensor, epilogue, [1, 1, 1, weights.filters]);
  const { inputs, attrs } = epilogueInputs(b, epilogue, bias);
  const window = { kernel_shape: [weights.height, weights.width], strides, dilations, pads: onnxPads(pads), ...attrs };
  define(b, epilogue, b.nchwc('Conv', [input.tensor, forwardFilter(b, { ...weights, tensor }), ...inputs], window));
  return true;
};

/** The image itself, with fewer channels than a block has, is read as it is. */
function inputOf(b: Blocked, x: string): { readonly tensor: string; readonly blocked: boolean } | undefined {
  const { dtype, shape } = b.c.typeOf(x);
  if (b.has(x)) return { tensor: b.get(x)!, blocked: true };
  if (dtype !== 'float32' || shape.some((dim) => typeof dim !== 'number') || staticSize(shape) === 0) return undefined;
  if ((shape[3] as number) < b.size) return { tensor: b.c.as(x, NCHW), blocked: false };
  const tensor = b.get(x);
  return tensor === undefined ? undefined : { tensor, blocked: true };
}

/** A batch norm with given statistics that follows goes into filter and bias: two small ops instead of a pass over the output. */
export function biased(
  b: Blocked,
  filter: string,
  { bias, norm, out }: Epilogue,
  spread: readonly number[],
): { readonly filter: string; readonly bias: string | undefined } {
  const channels = b.c.shapeOf(out)[3] as number;
  if (norm === undefined) return { filter, bias: bias && b.filledVector(b.c.plain(bias), channels) };
  const { scale, shift } = affineOf(b, norm);
  return { filter: b.c.one('Mul', [filter, b.reshape(scale, spread)]), bias: shift };
}
