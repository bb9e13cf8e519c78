import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../src/base/errors.ts';
import { sha256, bytesOf } from '../../../src/base/bytes.ts';
import { modelInfo, modelVariables } from '../../../src/networks/models/info.ts';
import { FAMILIES } from '../../../src/networks/models/families.ts';
import type { LayersModel } from '../../../src/networks/models/registry.ts';
import { buildModel, models } from '../../../src/networks/models/registry.ts';
import { patchLayers } from '../../../src/trace/layers/patch.ts';
import { useCpu } from '../../support/cpu.ts';

// tfjs' own batch norm cannot train without a scale.
beforeAll(async () => {
  patchLayers();
  await useCpu();
});

const image = { inputShape: [8, 8, 1], classes: 3, seed: 7 };
/** A small instance of every family, and the number of its parameters worked out by hand or from the paper. */
const small: Record<string, { inputShape: number[]; options: Record<string, unknown> }> = {
  mlp: { inputShape: [5], options: { hidden: [4] } },
  lenet: { inputShape: [8, 8, 1], options: {} },
  cnn: { inputShape: [8, 8, 1], options: { filters: [4, 6] } },
  'ds-cnn': { inputShape: [8, 8, 1], options: { width: 0.5 } },
  'bc-resnet': { inputShape: [9, 16, 1], options: { width: 0.5, bands: 2, dropout: 0 } },
  resnet: { inputShape: [8, 8, 1], options: { depth: 8, width: 0.5 } },
  'wide-resnet': { inputShape: [8, 8, 1], options: { depth: 10, width: 1 } },
  'mobilenet-v1': { inputShape: [8, 8, 1], options: { alpha: 0.1 } },
  'mobilenet-v2': { inputShape: [8, 8, 1], options: { alpha: 0.1 } },
  vgg: { inputShape: [8, 8, 1], options: { width: 0.1 } },
  'seg-lraspp': { inputShape: [32, 32, 3], options: { alpha: 0.1, filters: 8 } },
  unet: { inputShape: [8, 8, 1], options: { filters: 4, depth: 2 } },
  'det-nano': { inputShape: [32, 64, 3], options: { alpha: 0.1, filters: 8 } },
  'det-small': { inputShape: [32, 32, 3], options: { alpha: 0.1, filters: 8 } },
  'points-nano': { inputShape: [32, 32, 3], options: { alpha: 0.1, filters: 8 } },
  'points-small': { inputShape: [32, 48, 3], options: { alpha: 0.1, filters: 8 } },
  'text-transformer': { inputShape: [6], options: { vocabulary: 20, size: 8, heads: 2 } },
  'embedding-bag': { inputShape: [6], options: { vocabulary: 20, size: 8, hidden: 4 } },
  'text-cnn': { inputShape: [6], options: { vocabulary: 20, size: 4, filters: 8, kernel: 3, depth: 2 } },
  gru: { inputShape: [4, 3], options: { units: 5 } },
  decoder: { inputShape: [6], options: { vocabulary: 20, size: 8, heads: 2, groups: 1, depth: 2 } },
  'gru-lm': { inputShape: [6], options: { vocabulary: 20, size: 8, units: 5 } },
  'cnn-1d': { inputShape: [9, 3], options: { width: 0.25, depth: 2, kernel: 3 } },
  tcn: { inputShape: [9, 3], options: { filters: 8, depth: 2, kernel: 3, dropout: 0 } },
  'stream-ds-tcn': { inputShape: [15, 3], options: { filters: 8, depth: 2 } },
  'stream-mixer': { inputShape: [15, 3], options: { filters: 8, depth: 2, kernels: [2, 3] } },
};

/** Numbers of an answer of each model that finds points: of two points, over twice as many columns and rows as the longer side has pixels. */
const PLACES: Readonly<Record<string, number>> = { 'points-nano': 2 * 2 * 64, 'points-small': 2 * 2 * 96 };

/** Models that choose among the 20 tokens of their vocabulary at each of six places. */
const OF_TOKENS: readonly string[] = ['decoder', 'gru-lm'];

const classesOf = (name: string): number => (OF_TOKENS.includes(name) ? 20 : (PLACES[name] ?? 3));

/** Rows and columns of the answers at the default stride of each model with answers per pixel. */
const GRIDS: Readonly<Record<string, readonly number[]>> = { 'seg-lraspp': [4, 4], unet: [8, 8] };

/** Points of the answers of each model with answers per point: of strides 8, 16 and 32. */
const POINTS: Readonly<Record<string, number>> = { 'det-nano': 32 + 8 + 2, 'det-small': 16 + 4 + 1 };

/** Shapes of the outputs for two samples and three classes. */
function shapesOf(name: string): number[][] {
  if (GRIDS[name] !== undefined) return [[2, ...GRIDS[name], 3]];
  const points = POINTS[name];
  return points === undefined ? [[2, ...(OF_TOKENS.includes(name) ? [6] : []), classesOf(name)]] : [[2, points, 4], [2, points, 3]]; // prettier-ignore
}

function outputsOf(model: LayersModel, x: tf.Tensor, training = false): tf.Tensor[] {
  return [model.apply(x, { training })].flat() as tf.Tensor[];
}

/** The first part of a sample that a family answers about. */
const partOf = (name: string) => models[name]!.answersPer?.[0] ?? 'sample';

function weightsHash(name: string, seed: number): string {
  const { inputShape, options } = small[name]!;
  const model = buildModel(name, { inputShape, classes: classesOf(name), seed, options, answersPer: partOf(name) });
  return sha256(...modelVariables(model).flatMap((v) => [v.name, bytesOf(v.variable.dataSync())]));
}

it('has a small instance of every family here', () => {
  expect(Object.keys(small)).toEqual(Object.keys(models));
});

describe.each(Object.keys(small))('%s', (name) => {
  const { inputShape, options } = small[name]!;
  const answersPer = partOf(name);

  it('gives finite answers for samples, cells of a grid or points in training and inference', () => {
    const model = buildModel(name, { inputShape, classes: classesOf(name), seed: 7, options, answersPer });
    const x = tf.ones([2, ...inputShape], model.inputs[0]!.dtype);
    for (const training of [false, true]) {
      const outputs = outputsOf(model, x, training);
      expect(outputs.map(({ shape }) => shape)).toEqual(shapesOf(name));
      expect(outputs.every((values) => [...values.dataSync()].every(Number.isFinite))).toBe(true);
    }
  });

  it('draws the same weights from the same seed and others from another', () => {
    const first = weightsHash(name, 7);
    expect(weightsHash(name, 7)).toBe(first);
    expect(weightsHash(name, 8)).not.toBe(first);
  });

  it('names every variable <layer>/<weight>, once', () => {
    const model = buildModel(name, { inputShape, classes: classesOf(name), seed: 7, options, answersPer });
    const names = modelVariables(model).map((v) => v.name);
    expect(new Set(names).size).toBe(names.length);
    const layers = new Set(model.layers.map((layer) => layer.name));
    for (const variable of names) {
      expect(layers).toContain(variable.split('/')[0]);
      expect(variable).not.toMatch(/_\d+$/);
    }
  });

  it('survives a round trip through its topology', async () => {
    const model = buildModel(name, { inputShape, classes: classesOf(name), seed: 7, options, answersPer });
    const artifacts = await new Promise<tf.io.ModelArtifacts>((resolve) => {
      void model.save({
        save: (saved) => {
          resolve(saved);
          return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
        },
      });
    });
    const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
    const copy = await loadLayersModel({ load: () => Promise.resolve(artifacts) });
    const x = tf.ones([1, ...inputShape], model.inputs[0]!.dtype);
    const values = (of: LayersModel): number[][] => outputsOf(of, x).map((each) => [...each.dataSync()]);
    expect(values(copy)).toEqual(values(model));
  });
});

describe('published sizes', () => {
  const count = (name: string, options: Record<string, unknown>, inputShape = [32, 32, 3], classes = 10): number =>
    modelInfo(buildModel(name, { inputShape, classes, seed: 1, options })).trainableParameters;

  it('resnet20 has 0.27 M parameters', () => {
    // He et al. 2016, table 6; the projections of our two shortcuts add 2,752 to its parameter-free ones.
    expect(count('resnet', { depth: 20 })).toBe(272_474);
  });

  it('resnet8x4 for CIFAR-100 has 1,233,540 parameters', () => {
    expect(count('resnet', { depth: 8, width: 4 }, [32, 32, 3], 100)).toBe(1_233_540);
  });

  it('MobileNet v1 and v2 have the sizes of the papers', () => {
    expect(count('mobilenet-v1', {}, [224, 224, 3], 1000)).toBe(4_231_976);
    expect(count('mobilenet-v2', {}, [224, 224, 3], 1000)).toBe(3_504_872);
  });

  it('BC-ResNet has the sizes of the paper', () => {
    // Kim et al. 2021, table 3: 9.2 k, 27.3 k, 54.2 k, 188 k and 321 k.
    const sizes = [1, 2, 3, 6, 8].map((width) => count('bc-resnet', { width }, [101, 40, 1], 12));
    expect(sizes).toEqual([9232, 27_284, 54_168, 187_812, 321_068]);
  });

  it('WRN-16-2 has 0.69 M parameters', () => {
    expect(count('wide-resnet', { depth: 16, width: 2 })).toBe(691_674);
  });
});

it('cnn of 28×28×1 has the parameters that its description says', () => {
  const { trainableParameters } = modelInfo(
    buildModel('cnn', { inputShape: [28, 28, 1], classes: 10, seed: 1, options: {} }),
  );
  expect(models['cnn']!.doc).toContain(`${trainableParameters.toLocaleString('en')} parameters`);
});

it('resnet takes the strides it is given', () => {
  const options = { depth: 8, strides: [1, 2, 2, 1] };
  const { outputs } = modelInfo(buildModel('resnet', { inputShape: [28, 28, 1], classes: 10, seed: 1, options }));
  const shape = (name: string): unknown => outputs.find((output) => output.name === name)?.shape;
  expect(['stem_relu', 'stage1_block1_out', 'stage3_block1_out'].map(shape)).toEqual([
    [28, 28, 16],
    [14, 14, 16],
    [7, 7, 64],
  ]);
});

it('gru takes the rows of a picture, the shape in which every reader gives a sequence', () => {
  const build = (inputShape: number[]) => buildModel('gru', { inputShape, classes: 3, seed: 1, options: { units: 5 } });
  const values = tf.div(tf.range(0, 24), 24);
  const logits = (shape: number[]) =>
    [...(build(shape).apply(tf.reshape(values, [1, ...shape])) as tf.Tensor).dataSync()].map((value) =>
      value.toFixed(6),
    );
  expect(logits([4, 6, 1])).toEqual(logits([4, 6]));
  expect(logits([4, 2, 3])).toEqual(logits([4, 6]));
});

describe('mistakes', () => {
  const message = (run: () => unknown): [string, string] => {
    try {
      run();
    } catch (error) {
      if (error instanceof UserError) return [error.message, error.hint];
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  it('names the nearest model', () => {
    expect(message(() => buildModel('resnt', image))).toEqual(['there is no model "resnt"', 'Did you mean resnet?']);
  });

  it('names the nearest option', () => {
    const [text, hint] = message(() => buildModel('resnet', { ...image, options: { dept: 20 } }));
    expect(text).toBe('model resnet has no option "dept"');
    expect(hint).toBe('Did you mean depth?');
  });

  it('lenet says how small a picture may be', () => {
    const [text] = message(() => buildModel('lenet', { ...image, inputShape: [3, 5, 1] }));
    expect(text).toBe('model lenet takes images of at least 4x4, received 3x5');
  });

  it('says which depths exist', () => {
    const [text, hint] = message(() => buildModel('resnet', { ...image, options: { depth: 19 } }));
    expect(text).toBe('model resnet, depth: expected 6n + 2, received 19');
    expect(hint).toBe('The nearest depths are 14 and 20.');
  });

  it('says what values an option takes', () => {
    const [text] = message(() => buildModel('ds-cnn', { ...image, options: { width: -1 } }));
    expect(text).toBe('model ds-cnn, width: expected a number from 0.1 to 16, received -1');
  });

  it('counts the entries of a list of fixed length', () => {
    const [text] = message(() => buildModel('resnet', { ...image, options: { strides: [2, 2] } }));
    expect(text).toBe('model resnet, strides: expected a list of 4 whole numbers from 1 to 65536, received [2,2]');
  });

  it('bc-resnet says which sizes its sub-bands fit', () => {
    const [text, hint] = message(() => buildModel('bc-resnet', { ...image, inputShape: [20, 32, 1] }));
    expect(text).toBe('model bc-resnet, bands: 5 do not divide the 16 frequencies that stage1_block1 has');
    expect(hint).toBe('Set dataset.features.mels to 8 times a multiple of it, or bands to 1.');
  });

  it('refuses samples that are not images', () => {
    const [text] = message(() => buildModel('ds-cnn', { ...image, inputShape: [64] }));
    expect(text).toBe('model ds-cnn takes images [height, width, channels], received samples of shape [64]');
  });
});

it('is loaded family by family under the names of the registry', async () => {
  const loaded = Object.entries(FAMILIES).map(async ([name, load]) => [name, (await load()) === models[name]]);
  expect(await Promise.all(loaded)).toEqual(Object.keys(models).map((name) => [name, true]));
});
