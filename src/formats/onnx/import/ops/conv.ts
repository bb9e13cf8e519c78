import { isStatic } from '../../../../graph/shapes.ts';
import type { OnnxNode } from '../../model.ts';
import { plainOf } from '../arrangement.ts';
import { attr, intAttr, intsAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { defineImage, imageOf, spatialOf } from '../image.ts';
import { padsOf, windowAttrs, windowOfNode } from '../window.ts';

const FILTER_LAST = [2, 3, 1, 0] as const;

interface Filter {
  /** [height, width, second, first] of a stored or computed tensor [first, second, height, width]. */
  readonly value: string;
  readonly first: number;
  readonly second: number;
  readonly size: [number, number];
}

/**
 * A filter with its axes permuted; for a stored one, in reading. [.., .., length] gets a height of 1. With `channels`, a depthwise filter: [height,
 * width, channels, multiplier].
 */
function filterOf(node: OnnxNode, c: Import, rank: number, channels?: number): Filter {
  const name = node.inputs[1]!;
  const filterShape = c.shapeOf(name);
  if (!isStatic(filterShape))
    return c.fail(`its filter has the shape [${filterShape.join(', ')}], which depends on the batch size`);
  if (filterShape.length !== rank)
    c.fail(`expected a filter with ${rank} axes as its input has, received [${filterShape.join(', ')}]`);
  const kernel = intsAttr(node, c, 'kernel_shape') ?? filterShape.slice(2);
  if (kernel.join() !== filterShape.slice(2).join())
    c.fail(`its attribute kernel_shape is [${kernel.join(', ')}], and its filter is [${filterShape.join(', ')}]`);
  const shape = (rank === 3 ? [filterShape[0], filterShape[1], 1, filterShape[2]] : filterShape) as [
    number,
    number,
    number,
    number,
  ];
  const [first, second, height, width] = shape;
  // [h, w, 1, channels · multiplier] has the same memory layout as [h, w, channels, multiplier].
  const to = [height, width, ...(channels === undefined ? [second, first] : [channels, first / channels])];
  const stored = c.stored(name);
  let value: string;
  if (stored?.data instanceof Float32Array) {
    value = c.operand(name, { from: shape, perm: FILTER_LAST, shape: to });
  } else {
    const whole = c.op('Reshape', [c.plain(name)], { shape });
    value = c.op('Transpose', [whole], { perm: [...FILTER_LAST] });
    if (channels !== undefined) value = c.op('Reshape', [value], { shape: to });
  }
  return { value, first, second, size: [height, width] };
}

/** Splits the last axis into groups. */
function groups(c: Import, value: string, count: number): string[] {
  if (count === 1) return [value];
  const { shape } = c.builder.typeOf(value);
  const size = Number(shape.at(-1)) / count;
  return c.ops('Split', [value], { axis: shape.length - 1, sizes: new Array<number>(count).fill(size) });
}

/** Applies `run` to each group. */
function grouped(
  c: Import,
  x: string,
  filter: string,
  group: number,
  run: (x: string, filter: string) => string,
): string {
  const filters = groups(c, filter, group);
  const results = groups(c, x, group).map((part, i) => run(part, filters[i]!));
  return results.length === 1 ? results[0]! : c.op('Concat', results, { axis: 3 });
}

function biased(c: Import, node: OnnxNode, value: string): string {
  const bias = node.inputs[2] ?? '';
  return bias === '' ? value : c.op('Add', [value, rowOf(c, bias, 'bias')]);
}

const conv: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const size = spatialOf(c, x);
  const shape = c.shapeOf(x);
  const channels = shape[1] as number;
  const group = intAttr(node, c, 'group', 1);
  const [out, inner] = c.shapeOf(node.inputs[1]!) as [number, number];
  const isDepthwise = group > 1 && group === channels && inner === 1;
  if (inner * group !== channels)
    c.fail(
      `its input [${shape.join(', ')}] has ${channels} channels, and its filter [${c.shapeOf(node.inputs[1]!).join(', ')}] is for ${inner * group}${group === 1 ? '' : `, in ${group} groups`}`,
      'Check the file with onnx.checker, and export the model again.',
    );
  if (out % group !== 0)
    c.fail(
      `its filter [${c.shapeOf(node.inputs[1]!).join(', ')}] has ${out} outputs, which ${group} groups cannot share`,
      'Check the file with onnx.checker, and export the model again.',
    );
  const filter = filterOf(node, c, shape.length, isDepthwise ? channels : undefined);
  const window = windowOfNode(node, c, filter.size, size);
  const image = imageOf(c, x);
  let result: string;
  if (isDepthwise) {
    result = c.op('DepthwiseConv2dNative', [image, filter.value], { ...window });
  } else {
    result = grouped(c, image, filter.value, group, (part, weights) => c.op('Conv2D', [part, weights], { ...window }));
  }
  defineImage(c, node.outputs[0]!, biased(c, node, result), shape.length);
};

/** https://onnx.ai/onnx/operators/onnx__ConvTranspose.html: the gradient of a convolution with respect to its input. */
const convTranspose: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const size = spatialOf(c, x);
  const shape = c.shapeOf(x);
  const group = intAttr(node, c, 'group', 1);
  const filter = filterOf(node, c, shape.length);
  if (filter.first !== shape[1]) c.fail(`its filter is for ${filter.first} channels, and it is fed ${shape[1]!}`);
  const { strides, dilations } = windowAttrs(node, c, filter.size);
  const image = (given: number[] | undefined, first: number): number[] | undefined =>
    given?.length === 1 ? [first, given[0]!] : given;
  const extra = image(intsAttr(node, c, 'output_padding'), 0) ?? [0, 0];
  const whole = size.map((n, i) => (n - 1) * strides[i]! + (filter.size[i]! - 1) * dilations[i]! + 1);
  const auto = attr(node, c, 'auto_pad', 'string') ?? 'NOTSET';
  const wanted = auto.startsWith('SAME') ? size.map((n, i) => n * strides[i]!) : undefined;
  const named = intsAttr(node, c, 'output_shape')?.slice(-(shape.length - 2));
  const explicitPads = padsOf(node, c);
  const large = image(named, 1) ?? wanted;
  const pads =
    large === undefined
      ? explicitPads
      : large.flatMap((n, i) => {
          const total = whole[i]! + extra[i]! - n;
          const less = Math.floor(total / 2);
          return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
        });
  if (pads.some((amount) => amount < 0)) c.fail('its output is larger than what its windows reach');
  const [height, width] = large ?? whole.map((n, i) => n + extra[i]! - pads[2 * i]! - pads[2 * i + 1]!);
  const attrs = { strides, dilations, pads, inputShape: [shape[0]!, height!, width!, filter.second] };
  const result = grouped(c, imageOf(c, x), filter.value, group, (part, weights) =>
    c.op('Conv2DBackpropInput', [part, weights], attrs),
  );
  defineImage(c, node.outputs[0]!, biased(c, node, result), shape.length);
};

/** A tensor with a value for each channel. */
export function rowOf(c: Import, name: string, what: string): string {
  const shape = c.shapeOf(name);
  if (shape.length !== 1) c.fail(`its ${what} has the shape [${shape.join(', ')}], expected one axis`);
  return c.isWeights(name) ? c.operand(name, plainOf(shape as number[])) : c.plain(name);
}

export const convImporters: Readonly<Record<string, Importer>> = { Conv: conv, ConvTranspose: convTranspose };
