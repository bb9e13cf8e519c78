import type { Dim } from '../../../../graph/types.ts';
import { attr, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';

/** Neighbour of a position along one axis: its index as a float, and its weight (undefined: 1). */
interface Neighbour {
  readonly place: string;
  readonly weight: string | undefined;
}

const number = (c: Import, value: number): string => c.constant(Float32Array.of(value), []);
const add = (c: Import, a: string, b: number): string => (b === 0 ? a : c.op('Add', [a, number(c, b)]));
const times = (c: Import, a: string, b: number): string => c.op('Multiply', [a, number(c, b)]);

/** Converts coordinates -1 … 1 to positions: -1 and 1 are the centres of the first and last pixel, or their outer edges. */
function placed(c: Import, at: string, size: number, alignCorners: boolean): string {
  return alignCorners
    ? times(c, add(c, at, 1), (size - 1) / 2)
    : times(c, add(c, times(c, add(c, at, 1), size), -1), 0.5);
}

/** Cubic weights of four neighbours at distance t after the second (Keys 1981, with a = -0.75). */
function cubicWeights(c: Import, t: string): string[] {
  const a = -0.75;
  const polynomial = (x: string, factors: readonly number[]): string =>
    factors.slice(1).reduce((y, factor) => add(c, c.op('Multiply', [y, x]), factor), number(c, factors[0]!));
  const near = [a + 2, -(a + 3), 0, 1];
  const far = [a, -5 * a, 8 * a, -4 * a];
  const rest = c.op('Sub', [number(c, 1), t]);
  return [polynomial(add(c, t, 1), far), polynomial(t, near), polynomial(rest, near), polynomial(add(c, rest, 1), far)];
}

function neighbours(c: Import, at: string, mode: string): Neighbour[] {
  if (mode === 'nearest') return [{ place: c.op('Round', [at]), weight: undefined }];
  const first = c.op('Floor', [at]);
  const t = c.op('Sub', [at, first]);
  if (mode === 'cubic') return cubicWeights(c, t).map((weight, i) => ({ place: add(c, first, i - 1), weight }));
  return [
    { place: first, weight: c.op('Sub', [number(c, 1), t]) },
    { place: add(c, first, 1), weight: t },
  ];
}

/** Reflects indexes into 0 … size - 1, at the centres of the outer pixels or at their edges. */
function reflected(c: Import, place: string, size: number, alignCorners: boolean): string {
  const edge = alignCorners ? 0 : 0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return times(c, place, 0);
  const from = c.op('Abs', [add(c, place, edge)]);
  const turns = c.op('Floor', [c.op('RealDiv', [from, number(c, 2 * span)])]);
  const within = c.op('Sub', [from, times(c, turns, 2 * span)]);
  const back = c.op('Sub', [number(c, span), c.op('Abs', [add(c, within, -span)])]);
  return add(c, back, -edge);
}

function inside(c: Import, place: string, size: number): string {
  return c.op('ClipByValue', [place], { clipValueMin: 0, clipValueMax: size - 1 });
}

/** Jaderberg et al. 2015, https://onnx.ai/onnx/operators/onnx__GridSample.html: samples pixels at the grid's positions. */
const gridSample: Importer = (node, c) => {
  const [x, grid] = node.inputs as [string, string];
  const [mode, padding] = [
    (attr(node, c, 'mode', 'string') ?? 'linear').replace(/^bi/, ''),
    attr(node, c, 'padding_mode', 'string') ?? 'zeros',
  ];
  if (!['linear', 'nearest', 'cubic'].includes(mode)) c.fail(`its attribute mode is ${mode}`);
  if (!['zeros', 'border', 'reflection'].includes(padding)) c.fail(`its attribute padding_mode is ${padding}`);
  const alignCorners = intAttr(node, c, 'align_corners', 0) === 1;
  const [batch, channels, ...sizes] = c.shapeOf(x) as [Dim, number, ...number[]];
  const [, ...asked] = c.shapeOf(grid).slice(0, -1) as [Dim, ...number[]];
  if ([...sizes, ...asked].some((dim) => typeof dim !== 'number') || asked.length !== sizes.length)
    c.fail(
      `of [${c.shapeOf(x).join(', ')}] and [${c.shapeOf(grid).join(', ')}]; expected sizes that are fixed but for the batch`,
    );
  if (mode === 'cubic' && sizes.length !== 2) c.fail('cubic over other than height and width');
  const count = asked.reduce((product, dim) => product * dim, 1);
  const pixels = sizes.reduce((product, dim) => product * dim, 1);
  const isPicture = sizes.length === 2;
  const order = [0, ...sizes.map((_, i) => i + 2), 1];
  const lying = isPicture ? c.nhwc(x) : c.op('Transpose', [c.plain(x)], { perm: order });
  const rows = c.op('Reshape', [lying], { shape: [batch, pixels, channels] });
  // Coordinates in the grid begin with the last axis.
  const flat = c.op('Reshape', [c.plain(grid)], { shape: [batch, count, sizes.length] });
  const coordinates = c.ops('Split', [flat], { axis: 2, sizes: sizes.map(() => 1) }).toReversed();
  const around = coordinates.map((at, i) => neighbours(c, placed(c, at, sizes[i]!, alignCorners), mode));
  const all = around.reduce<Neighbour[][]>((so, axis) => so.flatMap((one) => axis.map((next) => [...one, next])), [[]]);
  const parts = all.map((corner) => {
    let index: string | undefined;
    let weight: string | undefined;
    const weigh = (by: string): void => {
      weight = weight === undefined ? by : c.op('Multiply', [weight, by]);
    };
    corner.forEach(({ place, weight: own }, i) => {
      const size = sizes[i]!;
      const at = inside(c, padding === 'reflection' ? reflected(c, place, size, alignCorners) : place, size);
      index = index === undefined ? at : c.op('Add', [times(c, index, size), at]);
      if (own !== undefined) weigh(own);
      if (padding === 'zeros') weigh(c.op('Cast', [c.op('Equal', [at, place])], { dtype: 'float32' }));
    });
    const places = c.op('Reshape', [c.op('Cast', [index!], { dtype: 'int32' })], { shape: [batch, count] });
    const found = c.op('GatherV2', [rows, places], { axis: 1, batchDims: 1 });
    return weight === undefined ? found : c.op('Multiply', [found, weight]);
  });
  const sum = parts.slice(1).reduce((a, b) => c.op('Add', [a, b]), parts[0]!);
  const y = c.op('Reshape', [sum], { shape: [batch, ...asked, channels] });
  const back = [0, sizes.length + 1, ...sizes.map((_, i) => i + 1)];
  if (isPicture) c.defineNhwc(node.outputs[0]!, y);
  else c.define(node.outputs[0]!, { plain: c.op('Transpose', [y], { perm: back }) });
};

/** Positions to which an affine map [batch, axes, axes + 1] takes the pixels of a picture of the requested size. */
const affineGrid: Importer = (node, c) => {
  const [theta, size] = node.inputs as [string, string];
  const alignCorners = intAttr(node, c, 'align_corners', 0) === 1;
  const outputSize = c.numbers(size, 'size').slice(2) as number[];
  const batch = c.shapeOf(theta)[0]!;
  const axes = outputSize.length;
  const count = outputSize.reduce((product, dim) => product * dim, 1);
  // For each pixel: its coordinates from -1 to 1, the last axis first, and a 1.
  const data = new Float32Array(count * (axes + 1)).fill(1);
  for (let pixel = 0; pixel < count; pixel++) {
    let rest = pixel;
    for (let axis = axes - 1; axis >= 0; axis--) {
      const n = outputSize[axis]!;
      const at = rest % n;
      rest = Math.floor(rest / n);
      data[pixel * (axes + 1) + (axes - 1 - axis)] = alignCorners
        ? (2 * at) / Math.max(1, n - 1) - 1
        : (2 * at + 1) / n - 1;
    }
  }
  const base = c.constant(data, [count, axes + 1]);
  const y = c.op('BatchMatMul', [base, c.plain(theta)], { transposeA: false, transposeB: true });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape: [batch, ...outputSize, axes] }) });
};

export const gridImporters: Readonly<Record<string, Importer>> = {
  GridSample: gridSample,
  AffineGrid: affineGrid,
};
