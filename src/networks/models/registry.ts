import type { LayersModel } from '@tensorflow/tfjs-layers';
import { nearest, shown, UserError } from '../../base/errors.ts';
import type { ModelArgs, ModelFamily } from './builder.ts';
import { answersFor, buildOf, FAMILIES } from './families.ts';
import type { BuildModelArgs } from './families.ts';

/** Every model that a recipe can name, all loaded. */
export const models: Readonly<Record<string, ModelFamily>> = Object.fromEntries(
  await Promise.all(Object.entries(FAMILIES).map(async ([name, load]) => [name, await load()] as const)),
);

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
