import type { NetName } from './nets.ts';

/** Multiply-accumulates of one sample's forward pass through a convolution or dense layer. */
const conv = (size: number, filter: number, inputs: number, outputs: number): number =>
  size * size * filter * filter * inputs * outputs;

const FORWARD: Record<NetName, readonly number[]> = {
  mlp: [784 * 800, 800 * 800, 8000],
  cnn: [conv(28, 3, 1, 32), conv(14, 3, 32, 64), 31360],
  'cnn-bn': [conv(28, 3, 1, 32), conv(14, 3, 32, 64), 31360],
  dscnn: [
    conv(14, 3, 1, 32),
    ...[32, 64, 64, 64].flatMap((channels) => [conv(14, 3, 1, channels), conv(14, 1, channels, 64)]),
    640,
  ],
  resnet8: [
    conv(28, 3, 1, 16),
    2 * conv(28, 3, 16, 16),
    conv(14, 3, 16, 32) + conv(14, 3, 32, 32) + conv(14, 1, 16, 32),
    conv(7, 3, 32, 64) + conv(7, 3, 64, 64) + conv(7, 1, 32, 64),
    640,
  ],
};

/**
 * Floating-point operations of one training step: two a multiply-accumulate, forward once and backward twice (towards
 * input and weights), but for the first layer, whose input needs no gradient.
 */
export function stepFlops(net: NetName, batch: number): number {
  const [first, ...rest] = FORWARD[net];
  return 2 * batch * (2 * first! + 3 * rest.reduce((a, b) => a + b, 0));
}
