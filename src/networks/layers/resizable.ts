import type { LayersModel } from '@tensorflow/tfjs-layers';
import { modelVariables } from '../models/info.ts';
import type { Kernel, Unmasked } from '../network.ts';

/** Configuration key with a layer's number of output channels, and the kernel axis of that size. */
interface Sized {
  readonly key: string;
  readonly weight: string;
  readonly axis: number;
}

const KERNEL = 'kernel';

/** Layers with a configurable number of output channels. */
export const resizableKinds: Readonly<Record<string, Sized>> = {
  Conv1D: { key: 'filters', weight: KERNEL, axis: 2 },
  Conv2D: { key: 'filters', weight: KERNEL, axis: 3 },
  Conv2DTranspose: { key: 'filters', weight: KERNEL, axis: 2 },
  KerasConv2DTranspose: { key: 'filters', weight: KERNEL, axis: 2 },
  SeparableConv2D: { key: 'filters', weight: 'pointwise_kernel', axis: 3 },
  Dense: { key: 'units', weight: KERNEL, axis: 1 },
};

/** Layers whose channels follow their input. */
const adapting = new Set([
  'InputLayer',
  'Activation',
  'ReLU',
  'LeakyReLU',
  'PReLU',
  'ELU',
  'ThresholdedReLU',
  'Softmax',
  'LimbeckGelu',
  'Dropout',
  'SpatialDropout1D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'BatchNormalization',
  'LayerNormalization',
  'LimbeckLayerNorm',
  'Flatten',
  'DepthwiseConv2D',
  'LimbeckDilatedDepthwise',
  'Add',
  'Multiply',
  'Average',
  'Maximum',
  'Minimum',
  'Concatenate',
  'MaxPooling1D',
  'MaxPooling2D',
  'AveragePooling1D',
  'AveragePooling2D',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling1D',
  'GlobalMaxPooling2D',
  'ZeroPadding2D',
  'Cropping2D',
  'UpSampling2D',
  'KerasUpSampling2D',
  'KerasReLU',
  'LimbeckStoppedGradient',
]);

/**
 * Kernels of convolutions and dense layers. Depthwise filters are not pruned (Zhu & Gupta 2017, section 4.2): they are few, and each is the only path
 * of its channel.
 */
export function kernelsOf(model: LayersModel): { result: Kernel[]; skipped: Unmasked[] } {
  const classes = new Map(model.layers.map((layer) => [layer.name, layer.getClassName()]));
  const result: Kernel[] = [];
  const skipped: Unmasked[] = [];
  for (const { name, variable } of modelVariables(model)) {
    const { shape } = variable;
    const [layer, weight] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
    const className = classes.get(layer) ?? '';
    const kind = Object.hasOwn(resizableKinds, className) ? resizableKinds[className] : undefined;
    if (kind?.weight === weight) {
      result.push({ name, shape, inputs: kind.axis === shape.length - 1 ? shape.length - 2 : shape.length - 1 });
    } else if (shape.length > 1) {
      skipped.push({ what: name, why: `weights of ${className} are not masked` });
    }
  }
  return { result, skipped };
}

/** Layers whose channel count cannot change, by name, with their class. */
export function fixedLayers(model: LayersModel): ReadonlyMap<string, string> {
  const found = model.layers.map((layer) => [layer.name, layer.getClassName()] as const);
  return new Map(found.filter(([, name]) => !adapting.has(name) && !Object.hasOwn(resizableKinds, name)));
}
