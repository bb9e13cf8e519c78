/** A teacher and a student by their models, and pairs of layers [student, teacher] from the first to the last. */
export interface Pair {
  readonly teacher: Readonly<Record<string, unknown>>;
  readonly student: Readonly<Record<string, unknown>>;
  readonly features: readonly (readonly [student: string, teacher: string])[];
}

interface DataSet {
  readonly title: string;
  readonly dataset: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
  /** Origin of the files. */
  readonly source: string;
  /** Text for all samples, where a pair is trained on all of them. */
  readonly samples?: string;
  readonly epochs: number;
  readonly training: Readonly<Record<string, unknown>>;
  /** Further changes for losses of a strong view. */
  readonly strong: readonly unknown[];
  readonly pairs: Readonly<Record<string, Pair>>;
}

const idx = (split: string) => ({
  images: `datasets/fashion-mnist/${split}-images-idx3-ubyte.gz`,
  labels: `datasets/fashion-mnist/${split}-labels-idx1-ubyte.gz`,
});
const cifar = 'datasets/cifar-100-binary';

/** Layers of student and teacher, one by one. */
const paired = (student: readonly string[], teacher: readonly string[]): Pair['features'] =>
  student.map((layer, i) => [layer, teacher[i]!]);
/** Outputs of the three stages of a residual network of so many blocks each. */
const residual = (blocks: number): string[] => [1, 2, 3].map((stage) => `stage${stage}_block${blocks}_out`);
const dsCnn = ['stem2_relu', 'stem3_relu', 'block2_pointwise_relu'];

const resnet = (depth: number, width: number, strides = [2, 1, 2, 2]) => ({ model: 'resnet', depth, width, strides });
const wide = (depth: number, width: number) => ({ model: 'wide-resnet', depth, width });

export const DATA: Readonly<Record<string, DataSet>> = {
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    dataset: { type: 'idx', train: idx('train'), test: idx('t10k'), augment: [{ shift: 2 }, { flip: 'horizontal' }] },
    files: [idx('train').images, idx('t10k').images],
    source: 'it is part of the repository',
    epochs: 15,
    training: { batchSize: 128, optimizer: { learningRate: 0.005, weightDecay: 0.05 } },
    strong: [{ rotate: 15 }, { cutout: 8 }],
    pairs: {
      'resnet20-resnet8x0.5': {
        teacher: resnet(20, 1),
        student: resnet(8, 0.5),
        features: paired(residual(1), residual(3)),
      },
      'resnet20-resnet14x0.5': {
        teacher: resnet(20, 1),
        student: resnet(14, 0.5),
        features: paired(residual(2), residual(3)),
      },
      'resnet20-dscnn': {
        teacher: resnet(20, 1, [2, 1, 2, 1]),
        student: { model: 'ds-cnn', width: 0.5 },
        features: paired(dsCnn, residual(3)),
      },
      'dscnnx2-dscnn': {
        teacher: { model: 'ds-cnn', width: 2 },
        student: { model: 'ds-cnn', width: 0.5 },
        features: paired(dsCnn, dsCnn),
      },
      'dscnnx2-cnn': {
        teacher: { model: 'ds-cnn', width: 2 },
        student: { model: 'cnn', filters: [8, 16, 32] },
        features: paired(['conv1_relu', 'conv2_relu', 'conv3_relu'], dsCnn),
      },
    },
  },
  cifar100: {
    title: 'CIFAR-100',
    dataset: {
      type: 'cifar100',
      train: cifar,
      test: cifar,
      normalize: { mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761] },
      augment: [{ crop: 4 }, { flip: 'horizontal' }],
    },
    files: [`${cifar}/train.bin`, `${cifar}/test.bin`],
    source: 'unpack the binary version of CIFAR-100 there',
    samples: 'all training pictures but the validation split',
    epochs: 240,
    training: {
      batchSize: 64,
      optimizer: {
        type: 'momentum',
        learningRate: 0.05,
        schedule: 'step',
        milestones: [150, 180, 210],
        weightDecay: 0.0005,
        decay: 'all',
      },
    },
    strong: [{ randAugment: {} }],
    pairs: {
      'wrn40-2-wrn16-2': { teacher: wide(40, 2), student: wide(16, 2), features: paired(residual(2), residual(6)) },
      'wrn40-2-wrn40-1': { teacher: wide(40, 2), student: wide(40, 1), features: paired(residual(6), residual(6)) },
      'resnet56-resnet20': {
        teacher: { model: 'resnet', depth: 56 },
        student: { model: 'resnet', depth: 20 },
        features: paired(residual(3), residual(9)),
      },
      'resnet110-resnet20': {
        teacher: { model: 'resnet', depth: 110 },
        student: { model: 'resnet', depth: 20 },
        features: paired(residual(3), residual(18)),
      },
      'resnet32x4-resnet8x4': {
        teacher: { model: 'resnet', depth: 32, width: 4 },
        student: { model: 'resnet', depth: 8, width: 4 },
        features: paired(residual(1), residual(5)),
      },
    },
  },
};
