import type { Shape } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { attr, axisOf, expectInt, floatAttr, ignore, ignoreInput, intsAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';
import { nearestPixels, mixing } from '../interpolation.ts';
import type { Sampling } from '../interpolation.ts';

interface Target {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Sizes of the axes that change: from `sizes`, or rounded from `scales`. */
function targets(node: OnnxNode, c: Import, shape: Shape): Target[] {
  const inputs = c.opset < 11 ? { scales: 1, sizes: -1 } : { scales: 2, sizes: 3 };
  const named = (position: number): string => (position < 0 ? '' : (node.inputs[position] ?? ''));
  const scalesName = named(inputs.scales);
  const sizesName = named(inputs.sizes);
  const isEmpty = scalesName !== '' && c.knownOf(scalesName)?.values.length === 0;
  const axes = (intsAttr(node, c, 'axes') ?? shape.map((_, i) => i)).map((axis) => axisOf(axis, shape.length, c));
  const sizes = sizesName === '' ? undefined : c.numbers(sizesName, 'sizes');
  const scales = sizes === undefined && !isEmpty ? scalesOf(node, c, scalesName) : undefined;
  if ((sizes ?? scales)?.length !== axes.length)
    c.fail(`it names ${(sizes ?? scales)?.length ?? 0} sizes for ${axes.length} axes`);
  return axes.flatMap((axis, i) => {
    const from = shape[axis]!;
    const wanted = sizes?.[i] ?? scales![i]!;
    if (wanted === (sizes === undefined ? 1 : from)) return [];
    if (typeof from !== 'number' || typeof wanted !== 'number') return c.fail('it resizes the batch', FIXED_BATCH);
    const to = sizes === undefined ? Math.floor(Math.fround(from * wanted)) : wanted;
    return [{ axis, from, to, scale: sizes === undefined ? wanted : Math.fround(to / from) }];
  });
}

function scalesOf(node: OnnxNode, c: Import, name: string): number[] {
  // Operator set 7 of Upsample has scales as an attribute.
  if (name === '') return [...(attr(node, c, 'scales', 'floats') ?? c.fail('it names neither sizes nor scales'))];
  const known = c.knownOf(name);
  if (known?.dtype !== 'float32') return c.fail('its scales are computed; expected values that are stored in the file');
  return known.values.map((value) =>
    typeof value === 'number' ? value : c.fail('its scales depend on the batch size'),
  );
}

function samplingOf(node: OnnxNode, c: Import): Sampling {
  // The older forms have fixed coordinates and rounding.
  const isOld = c.opset < 11;
  const coordinates = isOld
    ? 'asymmetric'
    : (attr(node, c, 'coordinate_transformation_mode', 'string') ?? 'half_pixel');
  const known = ['half_pixel', 'pytorch_half_pixel', 'half_pixel_symmetric', 'align_corners', 'asymmetric'];
  if (!known.includes(coordinates))
    c.fail(`its attribute coordinate_transformation_mode is ${coordinates}, expected one of ${known.join(', ')}`);
  const rounding = isOld ? 'simple' : (attr(node, c, 'nearest_mode', 'string') ?? 'round_prefer_floor');
  const cubic = floatAttr(node, c, 'cubic_coeff_a', -0.75);
  return { coordinates, rounding, cubic };
}

/** https://onnx.ai/onnx/operators/onnx__Resize.html */
const resize: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const shape = c.shapeOf(x);
  const mode = attr(node, c, 'mode', 'string') ?? 'nearest';
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'bilinear' && mode !== 'cubic')
    c.fail(`its attribute mode is ${mode}, expected nearest, linear or cubic`);
  expectInt(node, c, 'antialias', 0);
  expectInt(node, c, 'exclude_outside', 0);
  const policy = attr(node, c, 'keep_aspect_ratio_policy', 'string') ?? 'stretch';
  if (policy !== 'stretch') c.fail(`its attribute keep_aspect_ratio_policy is ${policy}, expected stretch`);
  // Region and extrapolation only matter for the mode tf_crop_and_resize, which is refused.
  ignore(node, 'extrapolation_value');
  if (c.opset >= 11) ignoreInput(node, 1);
  const resizedAxes = targets(node, c, shape);
  // ONNX Runtime does not resample for scales that change no size, such as 1.1 of 8.
  const changed = resizedAxes.some(({ from, to }) => from !== to) ? resizedAxes : [];
  const sampling = samplingOf(node, c);
  // ONNX divides by the size before rounding, ONNX Runtime by the size after it.
  const isWhole = changed.every(({ from, to, scale }) => Math.fround(from * scale) === to);
  if (sampling.coordinates === 'align_corners' && !isWhole)
    c.fail('its scales give no whole sizes, of which runtimes align the corners differently', 'Export it with sizes.');
  const isNearest = mode === 'nearest';
  const output = node.outputs[0]!;
  if (changed.length > 0 && asImage(c, x, output, changed, isNearest, mode, sampling)) return;
  const resized = changed.reduce(
    (value, target) =>
      isNearest
        ? gathered(c, value, target.axis, nearestPixels(target.from, target.to, target.scale, sampling))
        : mixed(c, value, target.axis, target, mixing(mode, target.from, target.to, target.scale, sampling)),
    c.plain(x),
  );
  c.define(output, { plain: resized });
};

/** Resizes by the graph's own operator; false, without a definition, if that has other coordinates or rounding. */
function asImage(
  c: Import,
  x: string,
  output: string,
  changed: readonly Target[],
  isNearest: boolean,
  mode: string,
  { coordinates, rounding, cubic }: Sampling,
): boolean {
  const shape = c.shapeOf(x);
  if (shape.length !== 4 || mode === 'cubic' || changed.some(({ axis }) => axis < 2)) return false;
  if (changed.some(({ from, to, scale }) => Math.fround(from * scale) !== to)) return false;
  const size = [2, 3].map((axis) => changed.find((one) => one.axis === axis)?.to ?? (shape[axis] as number));
  const alignCorners = coordinates === 'align_corners';
  if (isNearest) {
    const isPlain = changed.every(({ from, to, scale }) =>
      nearestPixels(from, to, scale, { coordinates, rounding, cubic }).every(
        // In float32, as in TFLite's kernel, and in float64, as in the graph's.
        (pixel, i) =>
          pixel === Math.floor(Math.fround(i * Math.fround(from / to))) && pixel === Math.floor(i * (from / to)),
      ),
    );
    if (!isPlain) return false;
    const attrs = { size, alignCorners: false, halfPixelCenters: false };
    c.defineNhwc(output, c.op('ResizeNearestNeighbor', [c.nhwc(x)], attrs));
    return true;
  }
  const isHalf = coordinates === 'half_pixel' || coordinates === 'half_pixel_symmetric';
  const isPytorch = coordinates === 'pytorch_half_pixel' && size.every((n) => n > 1);
  if (!alignCorners && !isHalf && !isPytorch && coordinates !== 'asymmetric') return false;
  if (alignCorners && size.some((n) => n === 1)) return false;
  const attrs = { size, alignCorners, halfPixelCenters: isHalf || isPytorch };
  c.defineNhwc(output, c.op('ResizeBilinear', [c.nhwc(x)], attrs));
  return true;
}

/** Elements of an axis at given indexes. */
export function gathered(c: Import, value: string, axis: number, places: readonly number[]): string {
  const indices = c.builder.constant({ dtype: 'int32', shape: [places.length] }, Int32Array.from(places));
  return c.op('GatherV2', [value, indices], { axis, batchDims: 0 });
}

/** Elements of an axis as weighted sums, with weights `matrix`: [from, to]. */
function mixed(c: Import, value: string, axis: number, { from, to }: Target, matrix: Float32Array): string {
  const rank = c.builder.typeOf(value).shape.length;
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const swap = (one: string): string => (axis === rank - 1 ? one : c.op('Transpose', [one], { perm }));
  const weights = c.constant(matrix, [from, to]);
  return swap(c.op('BatchMatMul', [swap(value), weights], { transposeA: false, transposeB: false }));
}

export const resizeImporters: Readonly<Record<string, Importer>> = { Resize: resize, Upsample: resize };
