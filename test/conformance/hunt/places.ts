import type { Attrs } from '../../support/onnx-steps.ts';
import type { Layer } from './layers.ts';

const transpose: Layer = (g, x) => g.op('Transpose', [x], { perm: g.order(g.shape(x).length) });

const slice: Layer = (g, x) => {
  const shape = g.shape(x);
  const axis = g.int(1, shape.length - 1);
  const size = shape[axis]!;
  g.fits(size > 2);
  const [start, end, step] = g.pick(
    ...([[1, size, 1], [0, -1, 1], [-2, 1000, 1], [0, size, 2], [1, 2 ** 31 - 1, 2]] as const),
    ...([[-1, -size - 1, -1], [-1, -(2 ** 31), -1], [size - 1, 0, -2]] as const),
  ); // prettier-ignore
  if (g.opset < 10) {
    g.fits(step === 1);
    return g.op('Slice', [x], { axes: [axis], starts: [start], ends: [end] });
  }
  const named = axis - g.pick(0, shape.length);
  return g.op('Slice', [x, g.ints(start), g.ints(end), g.ints(named), g.ints(step)]);
};

const gather: Layer = (g, x) => {
  const shape = g.shape(x);
  const axis = g.int(1, shape.length - 1);
  const size = shape[axis]!;
  const at = Array.from({ length: g.int(1, 5) }, () => g.int(g.opset >= 11 ? -size : 0, size - 1));
  if (shape.length < 4 && g.chance(0.2)) return g.op('Gather', [x, g.indices([1, at.length], at)], { axis });
  if (shape.length > 2 && g.chance(0.2)) return g.op('Gather', [x, g.integer(at[0]!)], { axis });
  return g.op('Gather', [x, g.ints(...at)], { axis });
};

const gatherElements: Layer = (g, x) => {
  g.since(11);
  g.fits(!g.isOpen);
  const shape = g.shape(x);
  const axis = g.int(1, shape.length - 1);
  const count = shape.reduce((a, b) => a * b, 1);
  const at = Array.from({ length: count }, () => g.int(0, shape[axis]! - 1));
  return g.op('GatherElements', [x, g.indices(shape, at)], { axis });
};

/** Two parts, of which one is changed, one behind the other or together. */
const split: Layer = (g, x) => {
  const axis = g.int(1, g.shape(x).length - 1);
  const size = g.shape(x)[axis]!;
  g.fits(size > 1);
  const first = size % 2 === 0 && g.chance() ? size / 2 : g.int(1, size - 1);
  const sizes = [first, size - first];
  const attrs: Attrs = {
    axis,
    ...(g.opset < 13 && { split: sizes }),
  };
  const [a, b] = g.ops('Split', g.opset < 13 ? [x] : [x, g.ints(...sizes)], attrs, 2) as [string, string];
  if (g.chance(0.3)) return g.pick(a, b);
  const changed = g.op(g.pick('Tanh', 'Relu', 'Sigmoid'), [a]);
  if (g.shape(a).join() === g.shape(b).join() && g.chance())
    return g.op(g.pick('Mul', 'Add', 'Sub', 'Max', 'Min'), [changed, b]);
  return g.op('Concat', g.chance() ? [b, changed] : [changed, b], { axis });
};

const pad: Layer = (g, x) => {
  const shape = g.shape(x);
  const mode = g.pick('constant', 'reflect', 'edge', ...(g.opset >= 19 ? ['wrap'] : []));
  const room = (size: number): number => Math.min(3, { reflect: size - 1, wrap: size }[mode] ?? 3);
  const ends = (): number[] => shape.map((size, axis) => (axis === 0 || g.chance(0.4) ? 0 : g.int(0, room(size))));
  const [before, after] = [ends(), ends()];
  if (mode === 'constant' && shape[1]! > 3 && g.chance(0.2)) before[1] = -1;
  if (g.opset < 11) return g.op('Pad', [x], { mode, pads: [...before, ...after], ...(mode === 'constant' && { value: 0.3 }) }); // prettier-ignore
  const value = mode === 'constant' && g.chance() ? g.floats(0.5) : '';
  if (g.opset < 18 || g.chance())
    return g.op('Pad', [x, g.ints(...before, ...after), ...(value === '' ? [] : [value])], { mode });
  const axes = g.order(shape.length).slice(1);
  const named = [before, after].flatMap((one) => axes.map((axis) => one[axis]!));
  return g.op('Pad', [x, g.ints(...named), value, g.ints(...axes)], { mode });
};

const tile: Layer = (g, x) => {
  const repeats = g.shape(x).map(() => 1);
  repeats[g.int(1, repeats.length - 1)] = 2;
  return g.op('Tile', [x, g.ints(...repeats)]);
};

const cumulated: Layer = (g, x) => {
  g.since(11);
  const axis = g.pick(-1, g.int(1, g.shape(x).length - 1));
  return g.op('CumSum', [x, g.integer(axis)], { exclusive: g.int(0, 1), reverse: g.int(0, 1) });
};

const largest: Layer = (g, x) => {
  g.since(10);
  const axis = g.int(1, g.shape(x).length - 1);
  const attrs = { axis, ...(g.opset >= 11 && { largest: g.int(0, 1) }) };
  return g.ops('TopK', [x, g.ints(g.int(1, g.shape(x)[axis]!))], attrs, 2)[0]!;
};

const triangle: Layer = (g, x) => {
  g.since(14);
  g.fits(g.shape(x).length > 2);
  return g.op('Trilu', [x, ...(g.chance() ? [g.integer(g.int(-1, 1))] : [])], { upper: g.int(0, 1) });
};

const expanded: Layer = (g, x) => {
  g.since(8);
  const [, ...sample] = g.shape(x);
  const narrow = g.weight([1, ...sample.map((size) => (g.chance() ? size : 1))], { scale: 0.5 });
  return g.op('Add', [x, g.op('Expand', [narrow, g.ints(1, ...sample)])]);
};

/** Other ranks: pixels as a sequence, a sequence as a picture, an axis of size 1 more or less. */
const ranked: Layer = (g, x) => {
  const shape = g.shape(x);
  if (shape.length === 4 && g.chance(0.7)) {
    const rows = g.op('Reshape', [x, g.ints(0, shape[1]!, shape[2]! * shape[3]!)]);
    return g.chance(0.3) ? rows : g.op('Transpose', [rows], { perm: [0, 2, 1] });
  }
  const ones = [...shape.keys()].slice(1).filter((axis) => shape[axis] === 1);
  if (shape.length > 2 && ones.length > 0 && g.chance()) {
    const axes = [g.pick(...ones)];
    return g.opset >= 13 ? g.op('Squeeze', [x, g.ints(...axes)]) : g.op('Squeeze', [x], { axes });
  }
  g.fits(shape.length < 4);
  const size = shape.at(-1)!;
  const divisor = [2, 3].find((one) => size % one === 0);
  if (divisor !== undefined && g.chance())
    return g.op('Reshape', [x, g.ints(0, ...shape.slice(1, -1), divisor, size / divisor)]);
  const axes = [g.int(1, shape.length)];
  return g.opset >= 13 ? g.op('Unsqueeze', [x, g.ints(...axes)]) : g.op('Unsqueeze', [x], { axes });
};

export const places: readonly Layer[] = [
  ...[transpose, slice, gather, gatherElements, split, split, pad, pad, tile, cumulated, largest, triangle, expanded],
  ...[ranked, ranked],
];
