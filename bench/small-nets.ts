import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import type { BenchNet } from './nets.ts';

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

export const SMALL_NETS: Readonly<Record<string, BenchNet>> = {
  mlp: small(hiddenTwice(800), [784]),
  cnn: small(plainCnn(false)),
  'cnn-bn': small(plainCnn(true)),
  dscnn: small(dscnn),
  resnet8: small(resnet8),
};

/** Nets with dropout, whose steps draw random numbers. The first is the teacher of recipes/hinton-mnist.yaml. */
export const DROPOUT_NETS: Readonly<Record<string, BenchNet>> = {
  'mlp-1200': { ...small(hiddenTwice(1200, 0.5), [784]), batch: 256, maxNorm: 3.873 },
};
