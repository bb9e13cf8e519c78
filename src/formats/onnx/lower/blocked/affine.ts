import type { Node } from '../../../../graph/types.ts';
import type { ShortAttr } from '../../attribute.ts';
import type { Blocked } from './context.ts';

/**
 * scale · x + shift per channel, and more of what a convolution can do on the way: as a depthwise 1×1 convolution it runs
 * on all threads at memory speed, where a broadcast over blocks takes six times as long. `scale` and `shift` are vectors
 * over whole blocks, `channels` their length.
 */
export function scaleAndShift(
  b: Blocked,
  x: string,
  channels: number,
  scale: string,
  shift?: string,
  more: { readonly inputs?: readonly string[]; readonly attrs?: Readonly<Record<string, ShortAttr>> } = {},
): string {
  const weights = b.c.once(`depthwise ${scale}`, () => b.reshape(scale, [channels, 1, 1, 1]));
  const rest = more.inputs ?? [];
  const inputs = shift === undefined && rest.length === 0 ? [] : [shift ?? '', ...rest];
  return b.nchwc('Conv', [x, weights, ...inputs], { group: channels, kernel_shape: [1, 1], ...more.attrs });
}

/** Zeros around: `pads` are top, left, bottom, right. */
export function zeroPadded(b: Blocked, x: string, channels: number, pads: readonly number[]): string {
  if (pads.every((amount) => amount === 0)) return x;
  const ones = b.constant([channels, 1, 1, 1], 1);
  return b.nchwc('Conv', [x, ones], { group: channels, kernel_shape: [1, 1], pads });
}

/** Batch norm with given statistics as scale and shift over whole blocks. */
export function affineOf(b: Blocked, { inputs, attrs }: Node): { readonly scale: string; readonly shift: string } {
  const [x, mean, variance, offset, gamma] = inputs as [string, string, string, string, string];
  const channels = b.c.shapeOf(x)[3] as number;
  return b.c.once(`affine ${inputs.slice(1).join()} ${attrs.epsilon as number}`, () => {
    const { c } = b;
    const deviation = c.one('Sqrt', [c.one('Add', [c.plain(variance), c.scalar('float32', attrs.epsilon as number)])]);
    const one = gamma === '' || gamma === undefined ? c.scalar('float32', 1) : c.plain(gamma);
    const scale = c.one('Div', [one, deviation]);
    const moved = c.one('Mul', [c.plain(mean), scale]);
    const shift = offset === '' ? c.one('Neg', [moved]) : c.one('Sub', [c.plain(offset), moved]);
    return { scale: b.filledVector(scale, channels), shift: b.filledVector(shift, channels) };
  });
}
