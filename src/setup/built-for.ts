import { UserError } from '../base/errors.ts';
import type { LoadedDataset } from '../data/load.ts';
import { scaledNetwork } from '../networks/scaled.ts';
import { unitNetwork } from '../networks/unit.ts';
import { taskOf } from '../tasks/registry.ts';
import { taskRow } from '../recipe/task.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { ModelNetwork } from '../networks/network.ts';

export type NetworkBuild = () => Promise<ModelNetwork>;

/** Recipe and data that a model is built for. */
export interface BuiltFor {
  readonly recipe: Recipe;
  readonly data: Pick<LoadedDataset, 'train' | 'classNames'>;
}

export function argsOf({ data }: Pick<BuiltFor, 'data'>, seed: number) {
  const { sampleShape, inputs, text, stride, nms } = data.train;
  const tokens = text && { vocabulary: text.vocabulary, padding: text.padding };
  const { fields, width } = taskOf(data.train);
  const { answersPer } = taskRow(data.train.task);
  const classes = answersPer === 'sample' ? width : data.classNames.length;
  const per = answersPer === 'sample' ? {} : { answersPer, stride, nms };
  return { inputShape: sampleShape, inputs, tokens, classes, fields, seed, ...per };
}

/** Arguments of a model built from code: for sounds, the shape is that of their features. */
export async function madeArgs({ recipe, data }: BuiltFor, seed: number): Promise<ReturnType<typeof argsOf>> {
  const args = argsOf({ data }, seed);
  if (!('rate' in recipe.dataset)) return args;
  const { soundOf } = await import('./sound.ts');
  const { melShape } = await import('../networks/sound/mel.ts');
  return { ...args, inputShape: melShape(soundOf(recipe.dataset)!) };
}

/** `UserError` for masks with a student from a file: it reads the sound itself, without a spectrum to mask. */
export function refuseMasks({ dataset }: Pick<Recipe, 'dataset'>): void {
  if (!('rate' in dataset) || dataset.features.specAugment === undefined) return;
  throw new UserError(
    'dataset.features.specAugment: expected a named student, whose spectrum is computed here, received one from a file',
    'Remove specAugment, or name a model: `student: { model: ds-cnn }`.',
  );
}

/** `UserError` for a network of one output where answers have several fields. */
export function refuseSeveralFields({ data }: Pick<BuiltFor, 'data'>, what: string): void {
  const { name, fields } = taskOf(data.train);
  if (fields.length === 1) return;
  throw new UserError(
    `${what}: has one output that is trained, and answers of ${name} are the outputs ${fields.map(endText).join(', ')}`,
    'Give a tfjs model with these outputs, as `student.module` or `student.tfjs`.',
  );
}

/** True if the answers are numbers, for which a file may end in a sigmoid. */
export function hasNumbers({ data }: Pick<BuiltFor, 'data'>): boolean {
  return taskOf(data.train).answers === 'values';
}

/** Adds a front-end for sounds, and the task's output scaling, to a network built from code. */
export async function withEnds(context: BuiltFor, network: ModelNetwork): Promise<ModelNetwork> {
  const { dataset } = context.recipe;
  if (!('rate' in dataset)) return answering(context, network);
  const { soundOf } = await import('./sound.ts');
  const { logMelNetwork } = await import('../networks/sound/log-mel.ts');
  return answering(context, logMelNetwork(network, soundOf(dataset)!));
}

/**
 * Scales the outputs of a network to the label's units if its last layer is new (a network from a file keeps its own), and to the length 1 if answers
 * are vectors.
 */
export function answering({ data }: Pick<BuiltFor, 'data'>, network: ModelNetwork, isNew = true): ModelNetwork {
  const { scaling, isUnit } = taskOf(data.train);
  if (isUnit === true) return unitNetwork(network);
  return scaling === undefined || !isNew ? network : scaledNetwork(network, scaling);
}

/** Name and shape of an input or output, without the batch. */
export function endText({
  name,
  shape,
}: {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}): string {
  return `${name} [${shape.join(', ')}]`;
}
