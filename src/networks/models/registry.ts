import type { LayersModel } from '@tensorflow/tfjs-layers';
import { nearest, shown, UserError } from '../../base/errors.ts';
import { bcResnet } from './bc-resnet.ts';
import type { ModelArgs, ModelFamily } from './builder.ts';
import { cnn } from './cnn.ts';
import { decoder } from './decoder.ts';
import { detNano, detSmall } from './detectors.ts';
import { dsCnn } from './ds-cnn.ts';
import { embeddingBag } from './embedding-bag.ts';
import type { BuildModelArgs } from './families.ts';
import { answersFor, buildOf } from './families.ts';
import { gru } from './gru.ts';
import { gruLm } from './gru-lm.ts';
import { pointsNano, pointsSmall } from './key-points.ts';
import { lenet } from './lenet.ts';
import { mlp } from './mlp.ts';
import { mobilenetV1, mobilenetV2 } from './mobilenet.ts';
import { resnet } from './resnet.ts';
import { streamDsTcn, streamMixer } from './stream-students.ts';
import { segLraspp, unet } from './segmenters.ts';
import { cnn1d, tcn } from './sequences.ts';
import { textCnn } from './text-cnn.ts';
import { textTransformer } from './text-transformer.ts';
import { vgg } from './vgg.ts';
import { wideResnet } from './wide-resnet.ts';

/** Every model that a recipe can name, all loaded; `FAMILIES` has the same names. */
export const models: Readonly<Record<string, ModelFamily>> = {
  mlp,
  lenet,
  cnn,
  'ds-cnn': dsCnn,
  'bc-resnet': bcResnet,
  resnet,
  'wide-resnet': wideResnet,
  'mobilenet-v1': mobilenetV1,
  'mobilenet-v2': mobilenetV2,
  vgg,
  'seg-lraspp': segLraspp,
  unet,
  'det-nano': detNano,
  'det-small': detSmall,
  'points-nano': pointsNano,
  'points-small': pointsSmall,
  'text-transformer': textTransformer,
  'embedding-bag': embeddingBag,
  'text-cnn': textCnn,
  gru,
  decoder,
  'gru-lm': gruLm,
  'cnn-1d': cnn1d,
  tcn,
  'stream-ds-tcn': streamDsTcn,
  'stream-mixer': streamMixer,
};

/** Builds a named model with weights drawn from `seed`; it gives logits. `UserError` for unknown names, options and wrong values. */
export function buildModel(name: string, args: BuildModelArgs): LayersModel {
  const model = Object.hasOwn(models, name) ? models[name] : undefined;
  if (model === undefined) {
    const near = nearest(name, Object.keys(models));
    const hint = near === undefined ? `The models are ${Object.keys(models).join(', ')}.` : `Did you mean ${near}?`;
    throw new UserError(`there is no model ${shown(name)}`, hint);
  }
  if (!answersFor(model, args)) {
    const able = Object.keys(models).filter((one) => answersFor(models[one]!, args));
    throw new UserError(
      `model ${name} answers for each ${(model.answersPer ?? ['sample']).join(' or ')}, and the task asks for an answer for each ${args.answersPer ?? 'sample'}`,
      `Choose ${able.join(' or ')}.`,
    );
  }
  return buildOf(name, model, args);
}

/** A model of the registry, or one from the user. */
export type { BuildModelArgs, LayersModel, ModelArgs };
