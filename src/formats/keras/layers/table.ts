import type { LayerContext, LayerRule, Size, KerasValue } from '../context.ts';
import { activationLayers } from './activations.ts';
import { merges } from './arithmetic.ts';
import { convolutions } from './convolutions.ts';
import { denseLayers } from './dense.ts';
import { normalizations } from './normalization.ts';
import { poolingLayers } from './pooling.ts';
import { innerLayer, recurrentLayers } from './recurrent.ts';
import { shapeLayers } from './shapes.ts';

/** A layer that changes its input in training alone. */
const passedOn: LayerRule = (k, [x]) => {
  // Settings say what happens in training.
  for (const key of Object.keys(k.layer.config)) k.setting(key);
  return x!;
};

/** Drops in training by its rate, as the ONNX operator does; one mask for several numbers has no operator. */
const dropout: LayerRule = (k, [x]) => {
  const [rate, noise] = [k.number('rate', 0), k.setting('noise_shape')];
  if (rate === 0 || (noise !== null && noise !== undefined)) return x!;
  return { ...x!, tensor: k.op('Dropout', [x!.tensor, k.scalar(rate)]) };
};

/** A layer that is applied to each step of a sequence. */
const timeDistributed: LayerRule = (k, [x]) => {
  const inner = innerLayer(k, 'layer');
  if (inner === undefined) return k.fail('has no layer inside');
  const rule = ruleOf(k, inner.className);
  const [batch, steps, ...rest] = x!.shape as [Size, Size, ...Size[]];
  if (steps === null || rest.length === 0 || rest.includes(null))
    return k.fail('expected an input whose sizes are known');
  const one: KerasValue = {
    tensor: k.op('Reshape', [k.last(x!), k.ints([-1, ...(rest as number[])])]),
    shape: [batch, ...rest],
    isFirst: false,
  };
  const inside = k.inner(inner);
  const [y] = [rule(inside, [one])].flat() as [KerasValue];
  k.leave(inside);
  const shape = [batch, steps, ...y.shape.slice(1)];
  if (y.shape.slice(1).includes(null)) k.fail('gives a size that is open');
  return { tensor: k.op('Reshape', [k.last(y), k.ints([-1, ...(shape.slice(1) as number[])])]), shape, isFirst: false };
};

const IN_TRAINING_ALONE = (
  'ActivityRegularization GaussianNoise GaussianDropout AlphaDropout SpatialDropout1D SpatialDropout2D SpatialDropout3D Identity ' +
  'StochasticDepth RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomCrop'
).split(' ');

const RULES: Readonly<Record<string, LayerRule>> = {
  ...activationLayers,
  ...convolutions,
  ...denseLayers,
  ...merges,
  ...normalizations,
  ...poolingLayers,
  ...recurrentLayers,
  ...shapeLayers,
  ...Object.fromEntries(IN_TRAINING_ALONE.map((name) => [name, passedOn])),
  Dropout: dropout,
  TimeDistributed: timeDistributed,
  // Of keras.applications: ConvNeXt and InceptionResNetV2.
  LayerScale: (k, [x]) => {
    for (const key of ['init_values', 'projection_dim']) k.setting(key);
    const gamma = k.weight('gamma', [x!.shape.at(-1)!]);
    return { ...x!, tensor: k.op('Mul', [k.last(x!), gamma]), isFirst: false };
  },
  CustomScaleLayer: (k, [x, y]) => {
    const scaled = { ...y!, tensor: k.op('Mul', [y!.tensor, k.scalar(k.number('scale'))]) };
    return merges['Add']!(k, [x!, scaled]);
  },
};

/** The rule of a class of layers. `UserError` for a class without one. */
export function ruleOf(k: LayerContext, className: string): LayerRule {
  if (Object.hasOwn(RULES, className)) return RULES[className]!;
  if (className === 'Lambda') return k.fail('computes by a Python function, which the file does not hold');
  return k.fail('is a layer that Limbeck does not compute');
}
