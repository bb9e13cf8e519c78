import type { LayerContext, LayerRule, Size, KerasValue } from '../context.ts';
import { spaceOf } from './convolutions.ts';

const product = (sizes: readonly Size[]): Size =>
  sizes.reduce<Size>((all, size) => (all === null || size === null ? null : all * size), 1);

const flatten: LayerRule = (k, [x]) => {
  const shape = [x!.shape[0]!, product(x!.shape.slice(1))];
  if (x!.shape.length === 2) return x!;
  return { tensor: k.reshaped(k.last(x!), [shape[0]!, -1]), shape, isFirst: false };
};

/** `target`: sizes without the batch, of which one may be -1. */
function reshapedTo(k: LayerContext, x: KerasValue, target: readonly number[]): KerasValue {
  const whole = product(x.shape.slice(1));
  const known = product(target.filter((size) => size !== -1))!;
  const open = whole === null || known === 0 ? null : whole / known;
  if (
    target.filter((size) => size === -1).length > 1 ||
    (whole !== null && target.every((size) => size !== -1) && known !== whole)
  )
    k.refuse('target_shape');
  const shape = [x.shape[0]!, ...target.map((size) => (size === -1 ? open : size))];
  // A row of channels as a picture of one pixel needs no other order.
  const isPixel = x.shape.length === 2 && target.length > 1 && target.slice(0, -1).every((size) => size === 1);
  if (isPixel && typeof shape.at(-1) === 'number')
    return { tensor: k.reshaped(x.tensor, [shape[0]!, shape.at(-1)!, ...target.slice(0, -1)]), shape, isFirst: true };
  return { tensor: k.reshaped(k.last(x), [shape[0]!, ...target]), shape, isFirst: false };
}

function sizesOf(k: LayerContext, key: string): readonly number[] {
  const value = k.setting(key);
  const isSizes = Array.isArray(value) && value.every((size) => Number.isSafeInteger(size));
  return isSizes ? (value as number[]) : k.refuse(key);
}

const permute: LayerRule = (k, [x]) => {
  const rank = x!.shape.length;
  const perm = [0, ...k.list('dims', rank - 1)];
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i)) k.refuse('dims');
  const tensor = k.op('Transpose', [k.last(x!)], { perm });
  return { tensor, shape: perm.map((axis) => x!.shape[axis]!), isFirst: false };
};

const repeatVector: LayerRule = (k, [x]) => {
  const n = k.int('n');
  const row = k.op('Unsqueeze', [x!.tensor, k.ints([1])]);
  const [batch, size] = [x!.shape[0]!, x!.shape[1]!];
  return { tensor: k.op('Tile', [row, k.ints([1, n, 1])]), shape: [batch, n, size], isFirst: false };
};

/** Pairs [before, after] for each axis, of which Keras may write one number, or one for each axis. */
function pairs(k: LayerContext, key: string, axes: number): [number, number][] {
  const value = k.setting(key);
  const isSize = (one: unknown): one is number => Number.isSafeInteger(one) && (one as number) >= 0;
  const pairOf = (one: unknown): [number, number] => {
    if (isSize(one)) return [one, one];
    if (Array.isArray(one) && one.length === 2 && one.every(isSize)) return one as [number, number];
    return k.refuse(key);
  };
  if (axes === 1 || isSize(value)) return new Array<unknown>(axes).fill(value).map(pairOf);
  return Array.isArray(value) && value.length === axes ? value.map(pairOf) : k.refuse(key);
}

const padding =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const sides = pairs(k, 'padding', axes);
    const [before, after] = [0, 1].map((side) => [0, 0, ...sides.map((pair) => pair[side]!)]) as [number[], number[]];
    const tensor = k.op('Pad', [k.first(x!), k.ints([...before, ...after])]);
    const sizes = space.map((size, i) => (size === null ? null : size + sides[i]![0] + sides[i]![1]));
    return { tensor, shape: [x!.shape[0]!, ...sizes, x!.shape.at(-1)!], isFirst: true };
  };

const LAST = 2 ** 31 - 1;

const cropping =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const sides = pairs(k, 'cropping', axes);
    const sizes = space.map((size, i) => (size === null ? null : size - sides[i]![0] - sides[i]![1]));
    if (sizes.some((size) => size !== null && size <= 0)) k.refuse('cropping');
    const ends = sides.map(([, end]) => (end === 0 ? LAST : -end));
    const [starts, along] = [sides.map(([start]) => start), sides.map((_, i) => i + 2)];
    const tensor = k.op('Slice', [k.first(x!), k.ints(starts), k.ints(ends), k.ints(along)]);
    return { tensor, shape: [x!.shape[0]!, ...sizes, x!.shape.at(-1)!], isFirst: true };
  };

const centerCrop: LayerRule = (k, [x]) => {
  const space = spaceOf(k, x!, 2);
  const sizes = [k.int('height'), k.int('width')];
  // Smaller pictures are resized and then cut.
  if (space.some((size, i) => size === null || size < sizes[i]!))
    k.fail(`cannot cut ${sizes.join('×')} from ${space.map((size) => size ?? '?').join('×')}`);
  const starts = space.map((size, i) => Math.floor((size! - sizes[i]!) / 2));
  const ends = starts.map((start, i) => start + sizes[i]!);
  const tensor = k.op('Slice', [k.first(x!), k.ints(starts), k.ints(ends), k.ints([2, 3])]);
  return { ...x!, tensor, shape: [x!.shape[0]!, ...sizes, x!.shape.at(-1)!], isFirst: true };
};

const upSampling =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const factors = k.list('size', axes);
    const mode = axes === 2 ? k.oneOf('interpolation', ['nearest', 'bilinear'], 'nearest') : 'nearest';
    const scales = k.parts.constant([1, 1, ...factors], [axes + 2]);
    const attrs =
      mode === 'nearest'
        ? { mode, coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
        : { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
    const sizes = space.map((size, i) => (size === null ? null : size * factors[i]!));
    const tensor = k.op('Resize', [k.first(x!), '', scales], attrs);
    return { tensor, shape: [x!.shape[0]!, ...sizes, x!.shape.at(-1)!], isFirst: true };
  };

const resizing: LayerRule = (k, [x]) => {
  spaceOf(k, x!, 2);
  const sizes = [k.int('height'), k.int('width')];
  for (const key of ['fill_mode', 'fill_value']) k.setting(key); // Of padded pictures.
  const mode = k.oneOf('interpolation', ['bilinear', 'nearest'], 'bilinear');
  const attrs =
    mode === 'nearest'
      ? { mode, coordinate_transformation_mode: 'half_pixel', nearest_mode: 'round_prefer_ceil' }
      : { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
  const picture = k.first(x!);
  const whole = k.op('Concat', [k.op('Shape', [picture], { start: 0, end: 2 }), k.ints(sizes)], { axis: 0 });
  const tensor = k.op('Resize', [picture, '', '', whole], attrs);
  return { tensor, shape: [x!.shape[0]!, ...sizes, x!.shape.at(-1)!], isFirst: true };
};

export const shapeLayers: Readonly<Record<string, LayerRule>> = {
  Flatten: flatten,
  Reshape: (k, [x]) => reshapedTo(k, x!, sizesOf(k, 'target_shape')),
  Permute: permute,
  RepeatVector: repeatVector,
  ...Object.fromEntries(
    [1, 2, 3].flatMap((axes) => [
      [`ZeroPadding${axes}D`, padding(axes)],
      [`Cropping${axes}D`, cropping(axes)],
      [`UpSampling${axes}D`, upSampling(axes)],
    ]),
  ),
  CenterCrop: centerCrop,
  Resizing: resizing,
};
