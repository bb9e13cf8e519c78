import type { LayerContext, LayerRule, Size, KerasValue } from '../context.ts';
import { withAxes } from '../context.ts';
import type { KerasArray } from '../hdf5.ts';
import { activated } from './activations.ts';

type Attrs = Parameters<LayerContext['op']>[2];

/** Strides, dilations and padding of a window, as attributes, and the sizes that it leaves. */
export function windowAttributes(
  k: LayerContext,
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  padding: 'valid' | 'same' | 'causal',
): { attrs: NonNullable<Attrs>; sizes: (from: readonly Size[]) => Size[] } {
  const reach = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  if (strides.some((stride) => stride > 1) && dilations.some((dilation) => dilation > 1))
    k.fail('cannot compute with strides and dilation at once');
  const isStill = strides.every((stride) => stride === 1);
  const before = reach.map((size) => (padding === 'causal' ? size - 1 : Math.floor((size - 1) / 2)));
  const after = reach.map((size, i) => (padding === 'causal' ? 0 : size - 1 - before[i]!));
  const pads =
    padding === 'valid'
      ? {}
      : padding === 'same' && !isStill
        ? { auto_pad: 'SAME_UPPER' }
        : { pads: [...before, ...after] };
  const size = (from: Size, i: number): Size =>
    from === null ? null : Math.floor((from - (padding === 'valid' ? reach[i]! : 1)) / strides[i]!) + 1;
  return { attrs: { kernel_shape: kernel, strides, dilations, ...pads }, sizes: (from) => from.map(size) };
}

/** Sizes between batch and channels. */
export function spaceOf(k: LayerContext, { shape }: KerasValue, axes: number): readonly Size[] {
  if (shape.length !== axes + 2) k.fail(`expected an input of ${axes + 2} axes, received ${shape.length}`);
  return shape.slice(1, -1);
}

export function channelsOf(k: LayerContext, { shape }: KerasValue): number {
  return shape.at(-1) ?? k.fail('the number of its input channels is open');
}

/** Adds the bias of a layer to a tensor with its channels first. */
function biased(k: LayerContext, channels: number): string[] {
  return k.flag('use_bias', true) ? [k.weight('bias', [channels])] : [];
}

/** Kernel [...window, inputs, outputs] to [outputs, inputs, ...window]. */
const outputsFirst = (kernel: KerasArray): KerasArray => {
  const axes = kernel.shape.length;
  return withAxes(kernel, [axes - 1, axes - 2, ...Array.from({ length: axes - 2 }, (_, i) => i)]);
};

/** Depthwise kernel [...window, channels, multiplier] to [channels · multiplier, 1, ...window]. */
const eachChannel = (kernel: KerasArray): KerasArray => {
  const axes = kernel.shape.length;
  const { shape, data } = withAxes(kernel, [axes - 2, axes - 1, ...Array.from({ length: axes - 2 }, (_, i) => i)]);
  return { shape: [shape[0]! * shape[1]!, 1, ...shape.slice(2)], data };
};

function settingsOf(k: LayerContext, axes: number) {
  const kernel = k.list('kernel_size', axes);
  const padding = k.oneOf('padding', axes === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'], 'valid');
  return {
    kernel,
    ...windowAttributes(k, kernel, k.list('strides', axes, 1), k.list('dilation_rate', axes, 1), padding),
  };
}

const convolution =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const [inputs, filters, group] = [channelsOf(k, x!), k.int('filters'), k.int('groups', 1)];
    const { kernel, attrs, sizes } = settingsOf(k, axes);
    const weights = k.weight('kernel', [...kernel, inputs / group, filters], outputsFirst);
    const tensor = k.op('Conv', [k.first(x!), weights, ...biased(k, filters)], { ...attrs, group });
    return activated(k, { tensor, shape: [x!.shape[0]!, ...sizes(space), filters], isFirst: true });
  };

const depthwise =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const [inputs, multiplier] = [channelsOf(k, x!), k.int('depth_multiplier', 1)];
    const { kernel, attrs, sizes } = settingsOf(k, axes);
    const weights = k.weight('depthwise_kernel', [...kernel, inputs, multiplier], eachChannel);
    const outputs = inputs * multiplier;
    const tensor = k.op('Conv', [k.first(x!), weights, ...biased(k, outputs)], { ...attrs, group: inputs });
    return activated(k, { tensor, shape: [x!.shape[0]!, ...sizes(space), outputs], isFirst: true });
  };

const separable =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const [inputs, multiplier, filters] = [channelsOf(k, x!), k.int('depth_multiplier', 1), k.int('filters')];
    const { kernel, attrs, sizes } = settingsOf(k, axes);
    const each = k.weight('depthwise_kernel', [...kernel, inputs, multiplier], eachChannel);
    const ones = kernel.map(() => 1);
    const points = k.weight('pointwise_kernel', [...ones, inputs * multiplier, filters], outputsFirst);
    const middle = k.op('Conv', [k.first(x!), each], { ...attrs, group: inputs });
    const tensor = k.op('Conv', [middle, points, ...biased(k, filters)], { kernel_shape: ones });
    return activated(k, { tensor, shape: [x!.shape[0]!, ...sizes(space), filters], isFirst: true });
  };

/** https://keras.io/api/layers/convolution_layers/convolution2d_transpose/ with the sizes of TensorFlow. */
const transposed =
  (axes: number): LayerRule =>
  (k, [x]) => {
    const space = spaceOf(k, x!, axes);
    const [inputs, filters, kernel] = [channelsOf(k, x!), k.int('filters'), k.list('kernel_size', axes)];
    const [strides, dilations] = [k.list('strides', axes, 1), k.list('dilation_rate', axes, 1)];
    if (dilations.some((dilation) => dilation !== 1)) k.refuse('dilation_rate');
    const isSame = k.oneOf('padding', ['valid', 'same'], 'valid') === 'same';
    const stated = k.setting('output_padding');
    const extra = stated === null || stated === undefined ? undefined : k.list('output_padding', axes);
    // Without output_padding the output is a multiple of the input, or reaches at least the stride.
    const cut = kernel.map((size, i) => {
      if (extra === undefined) return isSame ? size - strides[i]! : Math.min(0, size - strides[i]!);
      return (isSame ? 2 * Math.floor(size / 2) : 0) - extra[i]!;
    });
    const before = cut.map((size) => Math.max(0, Math.floor(size / 2)));
    const pads = [...before, ...cut.map((size, i) => Math.max(0, size) - before[i]!)];
    const order = [axes + 1, axes, ...Array.from({ length: axes }, (_, i) => i)];
    const weights = k.weight('kernel', [...kernel, filters, inputs], (array) => withAxes(array, order));
    const attrs = { kernel_shape: kernel, strides, pads, output_padding: cut.map((size) => Math.max(0, -size)) };
    const tensor = k.op('ConvTranspose', [k.first(x!), weights, ...biased(k, filters)], attrs);
    const size = (from: Size, i: number): Size =>
      from === null ? null : (from - 1) * strides[i]! + kernel[i]! - cut[i]!;
    return activated(k, { tensor, shape: [x!.shape[0]!, ...space.map(size), filters], isFirst: true });
  };

export const convolutions: Readonly<Record<string, LayerRule>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
};
