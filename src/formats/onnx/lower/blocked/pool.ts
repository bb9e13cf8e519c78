import { ints } from '../../../../graph/ops/spec.ts';
import type { Attrs, Node } from '../../../../graph/types.ts';
import { onnxPads, windowOf } from '../window.ts';
import { zeroPadded } from './affine.ts';
import type { Blocked, BlockedRule, PictureSizes } from './context.ts';
import { onlyConsumer } from './epilogue.ts';
import { mask } from './mask.ts';

function poolable(b: Blocked, node: Node): boolean {
  const { dilations, pads } = windowOf(node.attrs);
  const filter = ints(node.attrs, 'filterSize');
  return (
    b.sizesOf(node.inputs[0]!) !== undefined &&
    b.sizesOf(node.outputs[0]!) !== undefined &&
    dilations.every((dilation) => dilation === 1) &&
    pads.every((amount, i) => amount < filter[i >> 1]!)
  );
}

function poolAttrs(attrs: Attrs): Record<string, readonly number[]> {
  const { strides, pads } = windowOf(attrs);
  return { kernel_shape: ints(attrs, 'filterSize'), strides, pads: onnxPads(pads) };
}

/** Pooling is worth a reordering only where the rest lies in blocks. */
export const maxPool: BlockedRule = (node, b) => {
  const x = node.inputs[0]!;
  if (!b.has(x) || !poolable(b, node)) return false;
  const pooled = isPairs(b, node) && hasGradient(b, node) ? pairs(b, x).values : undefined;
  b.define(node.outputs[0]!, pooled ?? b.nchwc('MaxPool', [b.get(x)!], poolAttrs(node.attrs)));
  return true;
};

export const avgPool: BlockedRule = (node, b) => {
  const x = node.inputs[0]!;
  if (!b.has(x) || !poolable(b, node)) return false;
  const attrs = { ...poolAttrs(node.attrs), count_include_pad: 0 };
  b.define(node.outputs[0]!, b.nchwc('AveragePool', [b.get(x)!], attrs));
  return true;
};

/** 2×2 windows side by side. */
function isPairs(b: Blocked, { attrs, inputs }: Node, x = inputs[0]!): boolean {
  const { strides, dilations, pads } = windowOf(attrs);
  const filter = ints(attrs, 'filterSize');
  const twos = [...filter, ...strides].every((size) => size === 2);
  return twos && [...pads].every((amount) => amount === 0) && dilations.every((d) => d === 1) && b.has(x);
}

function hasGradient(b: Blocked, node: Node): boolean {
  return b.c
    .consumersOf(node.inputs[0]!)
    .some(({ op, inputs }) => op === 'MaxPoolGrad' && inputs[2] === node.outputs[0]);
}

interface Pairs {
  readonly values: string;
  /** 1 where the right one of two columns is the larger. */
  readonly right: string;
  /** 1 where the lower one of two rows is the larger. */
  readonly below: string;
}

/**
 * Columns are pooled first, then rows. A convolution with [-1, 1] and a step function say where a maximum came from, and of
 * equals they name the first: a row above has it, or a column to the left.
 */
function pairs(b: Blocked, x: string): Pairs {
  return b.c.once(`pairs ${x}`, () => {
    const channels = b.filled(b.sizesOf(x)![3]);
    const difference = b.c.once(`difference ${channels}`, () => {
      const data = Float32Array.from({ length: channels * 2 }, (_, i) => (Math.floor(i / b.size) % 2 === 0 ? -1 : 1));
      return b.c.initializer('float32', [channels, 1, 1, 2], data);
    });
    const tensor = b.get(x)!;
    const halves = (input: string, kernel: readonly [number, number]): { values: string; second: string } => {
      const window = { kernel_shape: kernel, strides: kernel };
      const weights = kernel[1] === 2 ? difference : b.reshape(difference, [channels, 1, 2, 1]);
      const step = { activation: 'HardSigmoid', activation_params: { floats: [3e38, 0] } };
      return {
        second: b.nchwc('Conv', [input, weights], { group: channels, ...window, ...step }),
        values: b.nchwc('MaxPool', [input], window),
      };
    };
    const columns = halves(tensor, [1, 2]);
    const rows = halves(columns.values, [2, 1]);
    return { values: rows.values, right: columns.second, below: rows.second };
  });
}

export const maxPoolGrad: BlockedRule = (node, b) => {
  const [dy, x, y] = node.inputs as [string, string, string];
  if (!isPairs(b, node, x) || !b.has(y) || b.sizesOf(dy) === undefined) return false;
  const large = b.sizesOf(x)!;
  // relu before the pooling: where a maximum is 0 its gradient is, and that is a quarter of the work.
  const next = onlyConsumer(b, node.outputs[0]!);
  const gated = next?.op === 'ReluGrad' && next.inputs[0] === node.outputs[0] && next.inputs[1] === x;
  const gradient = gated ? b.c.one('Mul', [b.get(dy)!, mask(b.c, b.get(y)!)]) : b.get(dy)!;
  const out = gated ? next.outputs[0]! : node.outputs[0]!;
  b.define(out, unpooled(b, gradient, pairs(b, x), large));
  // Every pooled gradient arrives once: sums over all pixels may take them there.
  b.sums.set(out, { tensor: gradient, pixels: Math.floor(large[1] / 2) * Math.floor(large[2] / 2) });
  return true;
};

function unpooled(
  b: Blocked,
  gradient: string,
  { right, below }: Pairs,
  [n, height, width, depth]: PictureSizes,
): string {
  const channels = b.filled(depth);
  const [h, w] = [Math.floor(height / 2), Math.floor(width / 2)];
  const planes = (n * channels) / b.size;
  const apart = (whole: string, second: string): [string, string] => {
    const taken = b.c.one('Mul', [whole, second]);
    return [b.c.one('Sub', [whole, taken]), taken];
  };
  const join = (parts: readonly string[], shape: readonly number[], to: readonly number[]): string =>
    b.reshape(
      b.c.one(
        'Concat',
        parts.map((part) => b.reshape(part, shape)),
        { axis: 1 },
      ),
      to,
    );
  const rows = join(apart(gradient, below), [planes * h, w * b.size], [n, channels, 2 * h, w]);
  const odd = height - 2 * h;
  const lower = zeroPadded(b, rows, channels, [0, 0, odd, 0]);
  const whole = join(apart(lower, right), [planes * height * w, b.size], [n, channels, height, 2 * w]);
  return zeroPadded(b, whole, channels, [0, 0, 0, width - 2 * w]);
}

/** Windows side by side: each pixel gets the same share. */
export const avgPoolGrad: BlockedRule = (node, b) => {
  const [dy, out] = [node.inputs[0]!, node.outputs[0]!];
  const [small, large] = [b.sizesOf(dy), b.sizesOf(out)];
  const { strides, pads, dilations } = windowOf(node.attrs);
  const filter = ints(node.attrs, 'filterSize');
  const tiles =
    pads.every((amount) => amount === 0) && dilations.every((d) => d === 1) && filter.join() === strides.join();
  if (small === undefined || large === undefined || !tiles) return false;
  if (small[1] * filter[0]! !== large[1] || small[2] * filter[1]! !== large[2]) return false;
  const share = b.c.one('Mul', [b.get(dy)!, b.c.scalar('float32', 1 / (filter[0]! * filter[1]!))]);
  b.define(out, b.nchwc('Upsample', [share], { scales: [1, 1, ...filter] }));
  return true;
};
