import { zeros } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as layersModel, sequential } from '@tensorflow/tfjs-layers';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { dependencies } from '../../../src/compress/prune/groups.ts';
import { pruneChannels } from '../../../src/compress/prune/prune.ts';
import { useCpu } from '../../support/cpu.ts';
import { modelOf, randomWeights, small } from './models.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';

beforeAll(useCpu);

/** What depends on what, e.g. `stem+block_conv2: 16`. */
function shown(model: LayersModel): string[] {
  return dependencies(layersNetwork(model)).groups.map(({ layers: of, channels }) => `${of.join('+')}: ${channels}`);
}

const OUTPUTS = { what: 'logits', why: 'its channels are the outputs of the model' };

describe('channels that depend on each other', () => {
  it.each([
    ['mlp', ['dense1: 32', 'dense2: 24']],
    ['lenet', ['conv1: 12', 'conv2: 32', 'dense1: 120', 'dense2: 84']],
    // A depthwise convolution follows the layer before it.
    ['ds-cnn', ['stem1: 8', 'stem2: 16', 'stem3: 32', 'block1_pointwise: 48', 'block2_pointwise: 64']],
    // Layers that meet in an add are one; the first of a block is on its own.
    [
      'resnet',
      [
        'stem+stage1_block1_conv2: 16',
        'stage1_block1_conv1: 16',
        'stage2_block1_conv1: 32',
        'stage2_block1_conv2+stage2_block1_shortcut: 32',
        'stage3_block1_conv1: 64',
        'stage3_block1_conv2+stage3_block1_shortcut: 64',
      ],
    ],
    [
      'wide-resnet',
      [
        'stem+stage1_block1_conv2: 16',
        'stage1_block1_conv1: 16',
        'stage2_block1_conv2+stage2_block1_shortcut: 32',
        'stage2_block1_conv1: 32',
        'stage3_block1_conv2+stage3_block1_shortcut: 64',
        'stage3_block1_conv1: 64',
      ],
    ],
    [
      'vgg',
      [
        ...['stage1_conv1: 16', 'stage2_conv1: 32', 'stage3_conv1: 64', 'stage3_conv2: 64', 'stage4_conv1: 128'],
        ...['stage4_conv2: 128', 'stage5_conv1: 128', 'stage5_conv2: 128'],
      ],
    ],
  ])('%s', (name, expected) => {
    const model = small(name);
    expect(shown(model).sort()).toEqual([...expected].sort());
    expect(dependencies(layersNetwork(model)).skipped).toEqual([OUTPUTS]);
  });

  it('mobilenet-v1: each pointwise layer with the depthwise one behind it', () => {
    const { groups } = dependencies(layersNetwork(small('mobilenet-v1')));
    expect(groups).toHaveLength(14);
    const first = groups.find(({ name }) => name === 'stem')!;
    expect(first.members.map(({ weight, axis, role }) => `${weight}[${axis}] ${role}`)).toEqual([
      'stem/kernel[3] out',
      ...['gamma[0] scale', 'beta[0] offset', 'moving_mean[0] other', 'moving_variance[0] other'].map(
        (vector) => `stem_bn/${vector}`,
      ),
      'block1_depthwise/depthwise_kernel[2] depthwise',
      ...['gamma[0] scale', 'beta[0] offset', 'moving_mean[0] other', 'moving_variance[0] other'].map(
        (vector) => `block1_depthwise_bn/${vector}`,
      ),
      'block1_pointwise/kernel[2] in',
    ]);
  });

  it('mobilenet-v2: the bottlenecks of a stage are one, each expansion is on its own', () => {
    const names = shown(small('mobilenet-v2'));
    expect(names).toContain('block7_project+block8_project+block9_project+block10_project: 16');
    expect(names).toContain('block5_expand: 48');
    expect(names).toContain('head: 1280');
  });

  it('text-transformer: the dense layers inside the encoders; attention stays', () => {
    const model = buildModel('text-transformer', {
      inputShape: [6],
      classes: 3,
      seed: 1,
      options: { vocabulary: 20, size: 8, heads: 2 },
    });
    expect(shown(model)).toEqual(['encoder1_dense1: 32', 'encoder2_dense1: 32']);
    expect(dependencies(layersNetwork(model)).skipped).toContainEqual({
      what: 'encoder1_attention',
      why: 'encoder1_attention (LimbeckSelfAttention) cannot be resized',
    });
  });

  it('gru: nothing, and says so', () => {
    const model = buildModel('gru', { inputShape: [4, 3], classes: 3, seed: 1, options: { units: 5 } });
    expect(shown(model)).toEqual([]);
    expect(dependencies(layersNetwork(model)).skipped.map(({ why }) => why)).toContainEqual(
      expect.stringMatching(/\(GRU\) cannot/),
    );
  });
});

const conv = (name: string, filters: number) => layers.conv2d({ name, filters, kernelSize: 3, padding: 'same' });

function network(body: (x: SymbolicTensor) => SymbolicTensor): LayersModel {
  const x = input({ shape: [4, 4, 3] });
  const pooled = layers.globalAveragePooling2d({}).apply(body(x)) as SymbolicTensor;
  return layersModel({
    inputs: x,
    outputs: layers.dense({ name: 'logits', units: 2 }).apply(pooled) as SymbolicTensor,
  });
}

describe('layers beyond those of the named models', () => {
  it('concatenated channels stay apart', async () => {
    const model = network((x) => {
      const a = conv('a', 8).apply(x) as SymbolicTensor;
      const b = conv('b', 16).apply(x) as SymbolicTensor;
      const both = layers.concatenate().apply([a, b]) as SymbolicTensor;
      return conv('c', 8).apply(both) as SymbolicTensor;
    });
    expect(shown(model)).toEqual(['a: 8', 'b: 16', 'c: 8']);
    const c = dependencies(layersNetwork(model)).groups[1]!.members.find(({ weight }) => weight === 'c/kernel')!;
    expect(c.positions.flat()).toEqual(Array.from({ length: 16 }, (_, i) => 8 + i));
    const { result } = await pruneChannels(layersNetwork(model), randomWeights(model), {
      amount: 0.5,
      multipleOf: 2,
      budget: 'layer',
    });
    expect(result.weights.get('c/kernel')!.type.shape).toEqual([3, 3, 12, 4]);
  });

  it('an add of what was concatenated with a whole ties each part to its piece', () => {
    const model = network((x) => {
      const parts = ['a', 'b'].map((name) => conv(name, 8).apply(x) as SymbolicTensor);
      const both = layers.concatenate().apply(parts) as SymbolicTensor;
      return layers.add().apply([both, conv('whole', 16).apply(x) as SymbolicTensor]) as SymbolicTensor;
    });
    expect(shown(model)).toEqual(['a+whole: 8', 'b+whole: 8']);
  });

  it('squeeze and excitation goes with the channels that it weighs', async () => {
    const model = network((x) => {
      const y = conv('a', 16).apply(x) as SymbolicTensor;
      const mean = layers.globalAveragePooling2d({}).apply(y) as SymbolicTensor;
      const inner = layers.dense({ name: 'squeeze', units: 8 }).apply(mean) as SymbolicTensor;
      const gate = layers.dense({ name: 'excite', units: 16, activation: 'sigmoid' }).apply(inner) as SymbolicTensor;
      return layers.multiply().apply([y, gate]) as SymbolicTensor;
    });
    expect(shown(model)).toEqual(['a+excite: 16', 'squeeze: 8']);
    const { result } = await pruneChannels(layersNetwork(model), randomWeights(model), {
      amount: 0.5,
      multipleOf: 4,
      budget: 'layer',
    });
    expect(result.weights.get('excite/kernel')!.type.shape).toEqual([4, 8]);
  });

  it('a depthwise multiplier, a separable, a transposed and a flattened convolution, in a sequential model', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'a', filters: 4, kernelSize: 3, inputShape: [6, 6, 1] }),
        layers.depthwiseConv2d({ name: 'd', kernelSize: 1, depthMultiplier: 2 }),
        layers.separableConv2d({ name: 's', filters: 8, kernelSize: 3, padding: 'same' }),
        layers.conv2dTranspose({ name: 't', filters: 4, kernelSize: 2 }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ name: 'logits', units: 2 }),
      ],
    });
    expect(shown(model)).toEqual(['a: 4', 's: 8', 't: 4']);
    const { result } = await pruneChannels(layersNetwork(model), randomWeights(model), {
      amount: 0.5,
      multipleOf: 2,
      budget: 'layer',
    });
    const shapes = [...result.weights].map(([name, { type }]) => `${name}: ${type.shape.join('×')}`);
    expect(shapes).toEqual([
      ...['a/kernel: 3×3×1×2', 'a/bias: 2', 'd/depthwise_kernel: 1×1×2×2', 'd/bias: 4'],
      ...['s/depthwise_kernel: 3×3×4×1', 's/pointwise_kernel: 1×1×4×4', 's/bias: 4'],
      ...['t/kernel: 2×2×2×4', 't/bias: 2', 'logits/kernel: 8×2', 'logits/bias: 2'],
    ]);
    expect((modelOf(result.network).predict(zeros([1, 6, 6, 1])) as Tensor).shape).toEqual([1, 2]);
  });

  it('a layer with a size of its own keeps what comes to it and what it makes', () => {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'a', filters: 8, kernelSize: 3, inputShape: [6, 6, 1] }),
        layers.reshape({ name: 'rows', targetShape: [16, 8] }),
        layers.conv1d({ name: 'b', filters: 8, kernelSize: 3 }),
        layers.globalMaxPooling1d(),
        layers.dense({ name: 'logits', units: 2 }),
      ],
    });
    expect(shown(model)).toEqual(['b: 8']);
    expect(dependencies(layersNetwork(model)).skipped).toEqual([
      { what: 'a', why: 'rows (Reshape) cannot be resized' },
      OUTPUTS,
    ]);
  });
});
