import type { LayersModel } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import type { Constant } from '../../graph/types.ts';
import { modelVariables } from '../models/info.ts';
import { withWeights } from './resize.ts';
import type { LayerJson } from './resize.ts';

export interface LayersChoices {
  /** `replace`: the last layer with weights is re-initialized for the classes of the data. */
  readonly head: 'keep' | 'replace';
  /** `frozen`: statistics, scale and offset of batch norms are constant. */
  readonly batchNorm?: 'train' | 'frozen' | undefined;
  readonly classes: number;
  readonly seed: number;
}

/** A file's model with a recipe's choices, and notes on them, a sentence each. */
export async function chosenLayers(
  model: LayersModel,
  file: string,
  { head, batchNorm, classes, seed }: LayersChoices,
): Promise<{ model: LayersModel; origin: string[] }> {
  const norms = model.layers.filter((layer) => layer.getClassName() === 'BatchNormalization').length;
  if (batchNorm !== undefined && norms === 0)
    throw new UserError(`student.batchNorm: ${file} has no batch norms`, 'Take the key out.');
  if (head === 'keep' && batchNorm !== 'frozen') return { model, origin: [] };
  const short = file.split(/[\\/]/).at(-1)!;
  const weights = new Map<string, Constant>();
  for (const { name, variable } of modelVariables(model))
    weights.set(name, { type: { dtype: 'float32', shape: variable.shape }, data: await variable.data<'float32'>() });
  const origin: string[] = [];
  const found = head === 'replace' ? topOf(model, file) : undefined;
  if (found !== undefined) {
    const { name, kernel } = found;
    const shape = weights.get(kernel)!.type.shape as readonly number[];
    const before = shape.at(-1)!;
    for (const [key, dims] of [
      [kernel, [...shape.slice(0, -1), classes]],
      [`${name}/bias`, [classes]],
    ] as const)
      if (weights.has(key)) weights.set(key, drawn(key, dims, shape, seed));
    origin.push(`${short}: its last layer ${name} is drawn anew: ${classes} outputs instead of ${before}`);
  }
  if (batchNorm === 'frozen')
    origin.push(`${short}: its ${norms === 1 ? 'batch norm stays as it is' : `${norms} batch norms stay as they are`}`);
  const changed = await withWeights(model, weights, (layer) => {
    if (batchNorm === 'frozen' && layer.class_name === 'BatchNormalization') layer.config['trainable'] = false;
    if (found !== undefined && (layer.config.name === found.name || found.behind.includes(layer.config.name)))
      withoutProbabilities(layer);
  });
  return { model: changed, origin };
}

interface Top {
  readonly name: string;
  readonly kernel: string;
  /** Layers after it. */
  readonly behind: readonly string[];
}

/** The last layer with weights, if it computes classes from features: a dense layer or a 1×1 convolution. */
function topOf({ layers }: LayersModel, file: string): Top {
  const at = layers.findLastIndex(({ weights }) => weights.length > 0);
  const layer = layers[at];
  const size = JSON.stringify(layer?.getConfig()['kernelSize']);
  const isTop = layer?.getClassName() === 'Dense' || (layer?.getClassName() === 'Conv2D' && size === '[1,1]');
  if (layer === undefined || !isTop)
    throw new UserError(
      `${file}: its last layer with weights is ${layer === undefined ? 'none' : `${layer.name} (${layer.getClassName()})`}, no dense layer or 1×1 convolution`,
      'Set `student.head: keep` and let the model have as many outputs as there are classes.',
    );
  return { name: layer.name, kernel: `${layer.name}/kernel`, behind: layers.slice(at + 1).map(({ name }) => name) };
}

/** Uniform within ±1/√inputs, as for an ONNX file. */
function drawn(name: string, dims: readonly number[], kernel: readonly number[], seed: number): Constant {
  const limit = 1 / Math.sqrt(kernel.slice(0, -1).reduce((product, size) => product * size, 1));
  const random = new RandomStream(seed, 'head', name);
  const count = dims.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * limit);
  return { type: { dtype: 'float32', shape: dims }, data };
}

/** Removes a final softmax or sigmoid: the losses apply it themselves, and numbers are learned on their own scale. */
function withoutProbabilities(layer: LayerJson): void {
  if (['softmax', 'sigmoid'].includes(layer.config['activation'] as string)) layer.config['activation'] = 'linear';
  if (layer.class_name !== 'Softmax') return;
  layer.class_name = 'Activation';
  layer.config = { name: layer.config.name, trainable: true, activation: 'linear' };
}
