import { changed } from '../lower/program.ts';
import { PADDING, paddingScheme } from '../lower/window.ts';
import type { FusionRule } from './rewrite.ts';

/** Folds zero padding that equals SAME padding into the convolution after it. */
export const foldPad: FusionRule = (operation, { program, producer }) => {
  if (operation.op !== 'CONV_2D' && operation.op !== 'DEPTHWISE_CONV_2D') return undefined;
  const pad = producer(operation.inputs[0]!);
  const options = operation.options!;
  if (pad?.op !== 'PAD' || options.padding !== PADDING.VALID) return undefined;
  const amounts = program.data(pad.inputs[1]!) as Int32Array | undefined;
  const x = pad.inputs[0]!;
  const [size, out] = [program.type(x).shape, program.type(operation.outputs[0]!).shape];
  if (amounts === undefined || [0, 1, 6, 7].some((i) => amounts[i] !== 0)) return undefined;
  const filter = program.type(operation.inputs[1]!).shape as readonly number[];
  const axes = (['H', 'W'] as const).map((axis, i) => ({
    size: size[i + 1] as number,
    out: out[i + 1] as number,
    window: (filter[i + 1]! - 1) * (options[`dilation${axis}Factor`] as number) + 1,
    stride: options[`stride${axis}`] as number,
    before: amounts[2 * (i + 1)]!,
  }));
  const scheme = paddingScheme(axes);
  if (scheme === undefined) return undefined;
  const inputs = [x, ...operation.inputs.slice(1)];
  return { insert: [changed(operation, { inputs, options: { ...options, padding: PADDING[scheme] } })] };
};
