import type { Attrs } from '../../support/onnx-steps.ts';
import { BATCH, float } from './sketch.ts';
import type { Sketch } from './sketch.ts';
import type { Layer } from './layers.ts';

/** Pads of windows: none, as many as keep the size, or any. */
function padding(g: Sketch, kernel: readonly number[]): Attrs {
  const ends = (): number[] => kernel.map((size) => g.int(0, size - 1));
  switch (g.int(0, 3)) {
    case 0:
      return {};
    case 1:
      return { auto_pad: g.pick('SAME_UPPER', 'SAME_LOWER') };
    case 2:
      return { auto_pad: 'VALID' };
    default:
      return { pads: [...ends(), ...ends()] };
  }
}

const divisors = (count: number): number[] => [1, 1, 2, 3, 4, count].filter((one) => count % one === 0);

const conv: Layer = (g, x) => {
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  const kernel = sizes.map((size) => g.int(1, Math.min(4, size)));
  const group = g.pick(...divisors(channels));
  const filters = group * g.int(1, Math.max(1, Math.floor(8 / group)));
  const attrs: Attrs = {
    group,
    ...(g.chance(0.7) && { kernel_shape: kernel }),
    ...(g.chance(0.3) && { dilations: sizes.map(() => g.int(1, 2)) }),
    ...(g.chance() && { strides: sizes.map(() => g.int(1, 3)) }),
    ...padding(g, kernel),
  };
  const weights = g.weight([filters, channels / group, ...kernel]);
  return g.op('Conv', [x, weights, ...(g.chance(0.6) ? [g.weight([filters], { scale: 0.3 })] : [])], attrs);
};

const transposed: Layer = (g, x) => {
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  g.fits(sizes.every((size) => size <= 10));
  const kernel = sizes.map(() => g.int(1, 4));
  const strides = sizes.map(() => g.int(1, 3));
  const group = g.pick(...divisors(channels));
  const filters = g.int(1, 3);
  const pads = padding(g, kernel);
  const attrs: Attrs = {
    ...{ group, strides, ...pads },
    ...(g.chance(0.7) && { kernel_shape: kernel }),
    ...(g.chance(0.3) && { dilations: sizes.map(() => g.int(1, 2)) }),
    ...(!('auto_pad' in pads) && g.chance(0.4) && { output_padding: strides.map((stride) => g.int(0, stride - 1)) }),
    ...(Object.keys(pads).length === 0 &&
      g.chance(0.2) && { output_shape: sizes.map((size, i) => Math.max(1, size * strides[i]! - g.int(0, 1))) }),
  };
  const weights = g.weight([channels, filters, ...kernel]);
  const bias = g.chance(0.6) ? [g.weight([filters * group], { scale: 0.3 })] : [];
  return g.op('ConvTranspose', [x, weights, ...bias], attrs);
};

const pool: Layer = (g, x) => {
  const op = g.pick('MaxPool', 'AveragePool', 'AveragePool', 'LpPool');
  const sizes = g.shape(x).slice(2);
  const kernel = sizes.map((size) => g.int(1, Math.min(4, size)));
  const pads = padding(g, kernel);
  const ceilFrom = op === 'LpPool' ? 18 : 10;
  const dilatedFrom = { MaxPool: 10, AveragePool: 19, LpPool: 18 }[op];
  return g.op(op, [x], {
    ...{ kernel_shape: kernel, ...pads },
    ...(g.chance(0.8) && { strides: sizes.map(() => g.int(1, 3)) }),
    ...(g.opset >= ceilFrom && !('auto_pad' in pads) && g.chance(0.4) && { ceil_mode: 1 }),
    ...(g.opset >= dilatedFrom && g.chance(0.3) && { dilations: sizes.map(() => g.int(1, 2)) }),
    ...(op === 'AveragePool' && { count_include_pad: g.int(0, 1) }),
    ...(op === 'LpPool' && { p: g.int(1, 3) }),
  });
};

/** Squeeze and excitation, or what it squeezes to. */
const overall: Layer = (g, x) => {
  const op = g.pick('GlobalMaxPool', 'GlobalAveragePool', 'GlobalLpPool');
  const pooled = g.op(op, [x], op === 'GlobalLpPool' ? { p: g.int(1, 3) } : {});
  if (g.chance(0.2)) return pooled;
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  const few = Math.max(1, channels >> 1);
  const ones = sizes.map(() => 1);
  const squeezed = g.op('Conv', [pooled, g.weight([few, channels, ...ones]), g.weight([few], { scale: 0.3 })]);
  const excited = g.op('Conv', [
    g.op(g.pick('Relu', 'Tanh', 'Elu'), [squeezed]),
    g.weight([channels, few, ...ones]),
    g.weight([channels], { scale: 0.3 }),
  ]);
  const gate = g.op(g.pick('Sigmoid', 'HardSigmoid', 'Tanh'), [excited]);
  return g.op('Mul', g.chance() ? [x, gate] : [gate, x]);
};

const MODES = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];

const resize: Layer = (g, x) => {
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  g.fits(sizes.length === 2 && sizes.every((size) => size <= 12));
  if (g.opset < 10) {
    const scales = [1, 1, g.int(1, 3), g.int(1, 3)];
    const mode = g.pick('nearest', 'linear');
    if (g.opset === 9) return g.op('Upsample', [x, g.floats(...scales)], { mode });
    return g.op('Upsample', [x], { mode, scales: { type: 'floats', value: scales } });
  }
  const scales = [1, 1, g.pick(1, 2, 1.5, 0.5, 0.7, 3), g.pick(1, 2, 1.5, 0.5, 0.7)];
  if (g.opset === 10) return g.op('Resize', [x, g.floats(...scales)], { mode: g.pick('nearest', 'linear') });
  const mode = g.pick('nearest', 'linear', 'cubic');
  const modes = g.opset >= 19 ? [...MODES, 'half_pixel_symmetric'] : MODES;
  const attrs: Attrs = {
    mode,
    ...(g.chance(0.9) && { coordinate_transformation_mode: g.pick(...modes) }),
    ...(mode === 'nearest' &&
      g.chance(0.8) && { nearest_mode: g.pick('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil') }),
    ...(mode === 'cubic' && g.chance(0.3) && { cubic_coeff_a: -0.5 }),
  };
  const none = (): string => (g.opset > 12 ? '' : g.table([0], []));
  if (g.chance()) return g.op('Resize', [x, none(), g.floats(...scales)], attrs);
  const to = sizes.map((size) => g.int(1, 2 * size));
  if (g.opset >= 18 && g.chance()) return g.op('Resize', [x, '', '', g.ints(...to)], { axes: [2, 3], ...attrs });
  g.fits(!g.isOpen);
  return g.op('Resize', [x, none(), none(), g.ints(BATCH, channels, ...to)], attrs);
};

const localResponse: Layer = (g, x) =>
  g.op('LRN', [x], {
    ...{ size: g.pick(1, 2, 3, 5), alpha: float(g.pick(0.1, 1)), beta: float(g.pick(0.5, 0.75)) },
    bias: float(g.pick(1, 2)),
  });

const blocks: Layer = (g, x) => {
  const [, channels, height, width] = g.shape(x) as [number, number, number, number];
  if (channels % 4 === 0 && g.chance())
    return g.op('DepthToSpace', [x], {
      blocksize: 2,
      ...(g.opset >= 11 && { mode: g.pick('DCR', 'CRD') }),
    });
  g.fits(height % 2 === 0 && width % 2 === 0);
  return g.op('SpaceToDepth', [x], { blocksize: 2 });
};

const shuffle: Layer = (g, x) => {
  const [, channels, height, width] = g.shape(x) as [number, number, number, number];
  const groups = g.pick(...divisors(channels));
  const parts = g.op('Reshape', [x, g.ints(g.pick(0, -1), groups, channels / groups, height, width)]);
  const swapped = g.op('Transpose', [parts], { perm: [0, 2, 1, 3, 4] });
  return g.op('Reshape', [swapped, g.ints(-1, channels, height, width)]);
};

const grid: Layer = (g, x) => {
  g.since(16);
  g.fits(!g.isOpen);
  const places = g.normals(BATCH * 4 * 3 * 2, 0.6);
  const mode = g.opset >= 20 ? g.pick('linear', 'nearest', 'cubic') : g.pick('bilinear', 'nearest', 'bicubic');
  const attrs = { mode, padding_mode: g.pick('zeros', 'border', 'reflection'), align_corners: g.int(0, 1) };
  return g.op('GridSample', [x, g.table([BATCH, 4, 3, 2], [...places])], attrs);
};

/** Windows that move over a length, or over a height and a width. */
export const windows: readonly Layer[] = [conv, conv, conv, transposed, transposed, pool, pool, overall];
export const pictures: readonly Layer[] = [resize, resize, localResponse, blocks, shuffle, grid];
