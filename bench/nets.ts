import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import { Blocks } from '../src/networks/models/blocks.ts';
import { network } from '../src/networks/models/builder.ts';
import { buildModel } from '../src/networks/models/registry.ts';

/** A net of the step benchmark; bench/torch_nets.py has the same one under the same name. */
export interface BenchNet {
  readonly about: string;
  /** Samples of a step, unless asked for otherwise. */
  readonly batch: number;
  /** One sample, channels last. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** What it learns: a label a sample, `pixels`, a 0 or 1 each, `mask`, a class for each cell of 8 pixels, `boxes`, or `vector`, one of a teacher's. */
  readonly kind: 'labels' | 'pixels' | 'mask' | 'boxes' | 'vector';
  /** Samples are rows of tokens below this, the last of them 0, which is padding. */
  readonly vocabulary?: number;
  /** Limit on the norm of the weights into a unit, after each update. */
  readonly maxNorm?: number;
  /** None for a net that PyTorch writes as an ONNX file, which is trained as it is. */
  readonly build?: (net: BenchNet) => LayersModel;
}

type Build = NonNullable<BenchNet['build']>;

const SEED = 1;

const registry =
  (name: string, options: Readonly<Record<string, unknown>> = {}): Build =>
  ({ inputShape, classes, kind }): LayersModel => {
    const answersPer = kind === 'mask' ? 'pixel' : kind === 'boxes' ? 'point' : 'sample';
    return buildModel(name, { inputShape, classes, seed: SEED, options, answersPer, stride: 8 });
  };

const image = (about: string, build: Build, rest: Partial<BenchNet> = {}): BenchNet => {
  return { about, batch: 128, inputShape: [32, 32, 3], classes: 10, kind: 'labels', build, ...rest };
};

const transformer = (depth: number): BenchNet => ({
  about: `text transformer, vocabulary 8192, 128 tokens, width 128, ${depth} layers of 4 heads`,
  ...{ batch: 32, inputShape: [128], classes: 4, kind: 'labels', vocabulary: 8192 },
  build: registry('text-transformer', { vocabulary: 8192, depth, size: 128, heads: 4 }),
});

/** Nets as people train them. Layers have the names of bench/torch_nets.py. */
const REAL_NETS: Readonly<Record<string, BenchNet>> = {
  'mobilenet-v2': image(
    'mobilenet-v2 1.0 at 96×96; the stem has stride 1 at this size',
    registry('mobilenet-v2', { alpha: 1 }),
    { batch: 32, inputShape: [96, 96, 3] },
  ),
  'mobilenet-v2-160': image(
    'mobilenet-v2 0.35 at 160×160, the student of bench:pictures',
    registry('mobilenet-v2', { alpha: 0.35 }),
    { batch: 64, inputShape: [160, 160, 3] },
  ),
  'mobilenet-v1': image(
    'mobilenet-v1 0.25 at 96×96; the stem has stride 1 at this size',
    registry('mobilenet-v1', { alpha: 0.25 }),
    { batch: 32, inputShape: [96, 96, 3], classes: 2 },
  ),
  vww: image("mobilenet-v1 0.25 at 96×96 with the published strides, MLPerf Tiny's visual wake words", vww, {
    ...{ batch: 32, inputShape: [96, 96, 3], classes: 2 },
  }),
  resnet18: image('ResNet-18 with a stem of 3×3 at 64×64', resnet18, { batch: 32, inputShape: [64, 64, 3] }),
  resnet20: image('ResNet-20 at 32×32', registry('resnet', { depth: 20 })),
  'wrn-16-2': image('wide-resnet 16-2 at 32×32', registry('wide-resnet', { depth: 16, width: 2 })),
  'transformer-2': transformer(2),
  'transformer-4': transformer(4),
  'bag-vectors': {
    about:
      "bag of 30,522 vectors of 96 numbers over 32 tokens, squared difference from a teacher's 384 numbers, both of length 1",
    ...{ batch: 256, inputShape: [32], classes: 384, kind: 'vector', vocabulary: 30_522 },
    build: registry('embedding-bag', { vocabulary: 30_522, size: 96 }),
  },
  gru: {
    about: 'gru of 128 units over 64 steps of 64 features',
    ...{ batch: 64, inputShape: [64, 64], classes: 10, kind: 'labels' },
    build: registry('gru', { units: 128 }),
  },
  unet: {
    about: 'U-Net 32-64-128 at 64×64, transposed convolutions up, cross entropy by pixel',
    ...{ batch: 16, inputShape: [64, 64, 1], classes: 1, kind: 'pixels' },
    build: unet,
  },
  'seg-lraspp': {
    about: 'seg-lraspp at 128×128, cross entropy of cells of 8 pixels',
    ...{ batch: 16, inputShape: [128, 128, 3], classes: 8, kind: 'mask' },
    build: registry('seg-lraspp'),
  },
  'det-nano': {
    about: 'det-nano at 160×160, assignment and loss of up to 20 boxes in a picture',
    ...{ batch: 16, inputShape: [160, 160, 3], classes: 8, kind: 'boxes' },
    build: registry('det-nano'),
  },
};

/** Most boxes of a picture in the benchmark. */
export const MAX_BOXES = 20;

/** Howard et al. 2017, table 1, at alpha 0.25. */
function vww({ inputShape, classes }: BenchNet): LayersModel {
  const blocks = new Blocks(SEED);
  const x = input({ shape: [...inputShape], name: 'input' });
  const rows = [
    ...([[16, 1], [32, 2], [32, 1], [64, 2], [64, 1], [128, 2]] as const),
    ...Array.from({ length: 5 }, () => [128, 1] as const),
    ...([[256, 2], [256, 1]] as const),
  ]; // prettier-ignore
  const stem = blocks.conv(x, 'stem', 8, { stride: 2, activation: 'relu6' });
  const y = rows.reduce((z, [filters, stride], i) => {
    const deep = blocks.depthwise(z, `block${i + 1}_depthwise`, { stride, activation: 'relu6' });
    return blocks.conv(deep, `block${i + 1}_pointwise`, filters, { kernel: 1, activation: 'relu6' });
  }, stem);
  return network('vww', x, blocks.classifier(y, classes));
}

/** He et al. 2016. */
function resnet18({ inputShape, classes }: BenchNet): LayersModel {
  const blocks = new Blocks(SEED);
  const x = input({ shape: [...inputShape], name: 'input' });
  let y = blocks.conv(x, 'stem', 64);
  [64, 128, 256, 512].forEach((filters, stage) => {
    for (let i = 1; i <= 2; i++) {
      const [name, stride] = [`stage${stage + 1}_block${i}`, stage > 0 && i === 1 ? 2 : 1];
      let z = blocks.conv(y, `${name}_conv1`, filters, { stride });
      z = blocks.conv(z, `${name}_conv2`, filters, { activation: 'none' });
      const same = stride === 1 && y.shape.at(-1) === filters;
      const skip = same ? y : blocks.conv(y, `${name}_shortcut`, filters, { kernel: 1, stride, activation: 'none' });
      y = blocks.relu(blocks.add(z, skip, `${name}_add`), `${name}_out`);
    }
  });
  return network('resnet18', x, blocks.classifier(y, classes));
}

/** Ronneberger et al. 2015 in small, with batch norm. Gives a logit for each pixel. */
function unet({ inputShape }: BenchNet): LayersModel {
  const blocks = new Blocks(SEED);
  const x = input({ shape: [...inputShape], name: 'input' });
  const twice = (y: SymbolicTensor, name: string, filters: number): SymbolicTensor =>
    blocks.conv(blocks.conv(y, `${name}_conv1`, filters), `${name}_conv2`, filters);
  const pool = (y: SymbolicTensor, name: string): SymbolicTensor =>
    layers.maxPooling2d({ name, poolSize: 2 }).apply(y) as SymbolicTensor;
  const up = (y: SymbolicTensor, skip: SymbolicTensor, name: string, filters: number): SymbolicTensor => {
    const kernelInitializer = blocks.initial(`${name}_up/kernel`, { scheme: 'he-normal' });
    const larger = layers
      .conv2dTranspose({ name: `${name}_up`, filters, kernelSize: 2, strides: 2, padding: 'same', kernelInitializer })
      .apply(y) as SymbolicTensor;
    const joined = layers.concatenate({ name: `${name}_concat` }).apply([skip, larger]) as SymbolicTensor;
    return twice(joined, name, filters);
  };
  const down1 = twice(x, 'down1', 32);
  const down2 = twice(pool(down1, 'pool1'), 'down2', 64);
  const bottom = twice(pool(down2, 'pool2'), 'bottom', 128);
  const up1 = up(up(bottom, down2, 'up2', 64), down1, 'up1', 32);
  return network('unet', x, blocks.conv(up1, 'logits', 1, { kernel: 1, norm: false, activation: 'none' }));
}

/** Nets on Fashion-MNIST's shapes, as in bench/torch_nets.py. All give logits for 10 classes. */
const small = (features: Block, inputShape: readonly number[] = [28, 28, 1]): BenchNet => ({
  about: `small, ${inputShape.join('×')}`,
  batch: 128,
  inputShape,
  classes: 10,
  kind: 'labels',
  build: () => {
    const x = input({ shape: [...inputShape] });
    return model({ inputs: x, outputs: apply(layers.dense({ units: 10 }), features(x)) });
  },
});

type Block = (x: SymbolicTensor) => SymbolicTensor;

const apply = (
  layer: { apply: (x: SymbolicTensor | SymbolicTensor[]) => unknown },
  x: SymbolicTensor | SymbolicTensor[],
): SymbolicTensor => layer.apply(x) as SymbolicTensor;

const relu: Block = (x) => apply(layers.reLU(), x);
const pool: Block = (x) => apply(layers.maxPooling2d({ poolSize: 2 }), x);
const norm: Block = (x) => apply(layers.batchNormalization({ epsilon: 1e-5, momentum: 0.9 }), x);
const head: Block = (x) => apply(layers.globalAveragePooling2d({}), x);

const hiddenTwice =
  (units: number, dropout = 0): Block =>
  (x) => {
    const hidden: Block = (h) => {
      const y = apply(layers.dense({ units, activation: 'relu', kernelInitializer: 'heNormal' }), h);
      return dropout === 0 ? y : apply(layers.dropout({ rate: dropout }), y);
    };
    return hidden(hidden(x));
  };

function conv(filters: number, options: { size?: number; stride?: number; bias?: boolean } = {}): Block {
  const { size = 3, stride = 1, bias = false } = options;
  // PyTorch's symmetric padding, which TensorFlow's `same` is not for stride 2.
  const same = stride === 1 || size === 1;
  const layer = layers.conv2d({
    filters,
    kernelSize: size,
    strides: stride,
    padding: same ? 'same' : 'valid',
    useBias: bias,
    kernelInitializer: 'heNormal',
  });
  return (x) => apply(layer, same ? x : apply(layers.zeroPadding2d({ padding: 1 }), x));
}

function plainCnn(withNorm: boolean): Block {
  const stage = (filters: number): Block => {
    const first = conv(filters, { bias: !withNorm });
    return (x) => pool(relu(withNorm ? norm(first(x)) : first(x)));
  };
  return (x) => apply(layers.flatten(), stage(64)(stage(32)(x)));
}

const dscnn: Block = (x) => {
  let h = relu(norm(conv(32, { stride: 2 })(x)));
  for (let i = 0; i < 4; i++) {
    h = relu(norm(apply(layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false }), h)));
    h = relu(norm(conv(64, { size: 1 })(h)));
  }
  return head(h);
};

const resnet8: Block = (x) => {
  let h = relu(norm(conv(16)(x)));
  for (const [filters, stride] of [
    [16, 1],
    [32, 2],
    [64, 2],
  ] as const) {
    const main = norm(conv(filters)(relu(norm(conv(filters, { stride })(h)))));
    const skip = stride === 1 ? h : norm(conv(filters, { size: 1, stride })(h));
    h = relu(apply(layers.add(), [main, skip]));
  }
  return head(h);
};

const SMALL_NETS: Readonly<Record<string, BenchNet>> = {
  mlp: small(hiddenTwice(800), [784]),
  cnn: small(plainCnn(false)),
  'cnn-bn': small(plainCnn(true)),
  dscnn: small(dscnn),
  resnet8: small(resnet8),
};

/** Nets with dropout, whose steps draw random numbers. The first is the teacher of recipes/hinton-mnist.yaml. */
const DROPOUT_NETS: Readonly<Record<string, BenchNet>> = {
  'mlp-1200': { ...small(hiddenTwice(1200, 0.5), [784]), batch: 256, maxNorm: 3.873 },
};

const picture = { batch: 32, inputShape: [96, 96, 3], classes: 10, kind: 'labels' } as const;
const sequence = { batch: 64, inputShape: [64, 64], classes: 10, kind: 'labels' } as const;
const FILES: Readonly<Record<string, BenchNet>> = {
  'onnx-resnet18': { about: "torchvision's ResNet-18 at 96×96, from its file", ...picture },
  'onnx-mobilenet-v3': { about: "torchvision's small mobilenet-v3 at 96×96, from its file", ...picture },
  'onnx-lstm': { about: 'nn.LSTM of 128 units over 64 steps of 64 features, from its file', ...sequence },
  'onnx-lstm-two': { about: 'the same of two layers', ...sequence },
  'onnx-lstm-both': { about: 'the same of one layer in both directions', ...sequence },
  'onnx-gru': { about: 'nn.GRU of the same, from its file', ...sequence },
};

export const NETS: Readonly<Record<string, BenchNet>> = { ...SMALL_NETS, ...DROPOUT_NETS, ...REAL_NETS, ...FILES };

export const SMALL_NET_NAMES = Object.keys(SMALL_NETS);

export function netOf(name: string): BenchNet {
  const net = Object.hasOwn(NETS, name) ? NETS[name] : undefined;
  if (net === undefined) throw new Error(`unknown model ${name}; known: ${Object.keys(NETS).join(', ')}`);
  return net;
}

/** The nets of a list with commas, in its order; all where there is none. */
export function netsOf(list: string | undefined): readonly (readonly [string, BenchNet])[] {
  return (list?.split(',') ?? Object.keys(NETS)).map((name) => [name, netOf(name)]);
}

export function buildNet(name: string): LayersModel {
  const net = netOf(name);
  if (net.build === undefined) throw new Error(`${name} is a file that PyTorch writes, for bench:step alone`);
  return net.build(net);
}

export const inputShapeOf = (name: string): readonly number[] => netOf(name).inputShape;
