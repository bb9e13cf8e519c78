import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Blocks } from './blocks.ts';
import { channels } from './blocks.ts';
import { family, halvings, imageInputShape, network } from './builder.ts';
import type { ModelArgs } from './builder.ts';
import { real, weights } from './options.ts';

/**
 * The published nets halve a 224-pixel picture five times. Smaller pictures are halved only while 4 pixels are left: the first strides become 1, as
 * is usual for CIFAR.
 */
function stridesFor(strides: readonly number[], height: number, width: number): number[] {
  let spare = strides.filter((stride) => stride === 2).length - halvings(height, width);
  return strides.map((stride) => (stride === 2 && spare-- > 0 ? 1 : stride));
}

const alpha = real(1, 'Filters of every layer, as a multiple of the published ones.', 0.1, 4);

/** Howard et al. 2017, "MobileNets", table 1: filters and stride of the stem and of each depthwise separable block. */
const V1 = [
  [32, 2],
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
] as const;

export const mobilenetV1 = family({
  isOfPictures: true,
  doc: 'MobileNet v1: a stack of depthwise separable convolutions; strides adapt to small pictures.',
  options: { alpha },
  build: ({ inputShape, classes, blocks }, options) => {
    const [height, width] = imageInputShape('mobilenet-v1', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    const strides = stridesFor(
      V1.map(([, stride]) => stride),
      height,
      width,
    );
    let y: SymbolicTensor = x;
    V1.forEach(([filters], i) => {
      const [name, stride, out] = [`block${i}`, strides[i]!, channels(filters, options.alpha)];
      if (i === 0) y = blocks.conv(y, 'stem', out, { stride, activation: 'relu6' });
      else y = separable(blocks, y, name, out, stride);
    });
    return network('mobilenet-v1', x, blocks.classifier(y, classes));
  },
});

function separable(blocks: Blocks, x: SymbolicTensor, name: string, filters: number, stride: number): SymbolicTensor {
  const y = blocks.depthwise(x, `${name}_depthwise`, { stride, activation: 'relu6' });
  return blocks.conv(y, `${name}_pointwise`, filters, { kernel: 1, activation: 'relu6' });
}

/** Sandler et al. 2018, "MobileNetV2", table 2: expansion, filters, repeats, stride of the first repeat. */
const V2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export const mobilenetV2 = family({
  isOfPictures: true,
  doc: 'MobileNet v2: inverted residuals with linear bottlenecks; strides adapt to small pictures.',
  options: { alpha, weights },
  strides: [32],
  build: (args, options) => {
    const { blocks, classes } = args;
    const [height, width] = imageInputShape('mobilenet-v2', args.inputShape);
    const strides = stridesFor([2, ...V2.map(([, , , stride]) => stride)], height, width);
    const { inputs, levels } = levelsOfV2(args, options.alpha, strides, [-1]);
    // The paper keeps the last layer at 1280 filters when alpha is below 1.
    const y = blocks.conv(levels[0]!, 'head', channels(1280, Math.max(1, options.alpha)), {
      kernel: 1,
      activation: 'relu6',
    });
    return network('mobilenet-v2', inputs, blocks.classifier(y, classes));
  },
});

/** Strides of the stem and of the first rows of the published net: 16 pixels after five rows, 32 after six. */
export const STRIDES_TO_16 = [2, 1, 2, 2, 2, 1] as const;
export const STRIDES_TO_32 = [...STRIDES_TO_16, 2] as const;

/** Inputs of a model, and the feature maps that its neck and head read. */
interface Levels {
  readonly inputs: SymbolicTensor[];
  readonly levels: SymbolicTensor[];
}

/** Feature maps that neck and head read: the outputs of `rows` of `V2`, or inputs of the model for the feature maps of another backbone. */
export function levelsOfV2(
  { inputShape, features, blocks }: Pick<ModelArgs, 'inputShape' | 'features'> & { readonly blocks: Blocks },
  alpha: number,
  strides: readonly number[],
  rows: readonly number[],
): Levels {
  if (features !== undefined) {
    const levels = features.map((shape, i) => input({ shape: [...shape], name: `level${i}` }));
    return { inputs: levels, levels };
  }
  const x = input({ shape: [...inputShape], name: 'input' });
  const all = featuresOfV2(blocks, x, alpha, strides);
  return { inputs: [x], levels: rows.map((row) => all.at(row)!) };
}

/** Features behind each row of `V2`, for a stem and as many rows as there are strides. */
function featuresOfV2(
  blocks: Blocks,
  x: SymbolicTensor,
  alpha: number,
  [first, ...strides]: readonly number[],
): SymbolicTensor[] {
  let y = blocks.conv(x, 'stem', channels(32, alpha), { stride: first!, activation: 'relu6' });
  let n = 0;
  return strides.map((stride, row) => {
    const [expansion, filters, repeats] = V2[row]!;
    for (let i = 0; i < repeats; i++)
      y = invertedResidual(blocks, y, `block${++n}`, channels(filters, alpha), expansion, i === 0 ? stride : 1);
    return y;
  });
}

function invertedResidual(
  blocks: Blocks,
  x: SymbolicTensor,
  name: string,
  filters: number,
  expansion: number,
  stride: number,
): SymbolicTensor {
  const inner = x.shape.at(-1)! * expansion;
  let y = expansion === 1 ? x : blocks.conv(x, `${name}_expand`, inner, { kernel: 1, activation: 'relu6' });
  y = blocks.depthwise(y, `${name}_depthwise`, { stride, activation: 'relu6' });
  y = blocks.conv(y, `${name}_project`, filters, { kernel: 1, activation: 'none' });
  return stride === 1 && x.shape.at(-1) === filters ? blocks.add(x, y, `${name}_out`) : y;
}
