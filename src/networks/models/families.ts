import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ModelArgs, ModelFamily } from './builder.ts';
import { resolveOptions } from './options.ts';

/** Every model that a recipe can name. The module of a family is loaded when a recipe names a model of it. */
export const FAMILIES: Readonly<Record<string, () => Promise<ModelFamily>>> = {
  mlp: async () => (await import('./mlp.ts')).mlp,
  lenet: async () => (await import('./lenet.ts')).lenet,
  cnn: async () => (await import('./cnn.ts')).cnn,
  'ds-cnn': async () => (await import('./ds-cnn.ts')).dsCnn,
  'bc-resnet': async () => (await import('./bc-resnet.ts')).bcResnet,
  resnet: async () => (await import('./resnet.ts')).resnet,
  'wide-resnet': async () => (await import('./wide-resnet.ts')).wideResnet,
  'mobilenet-v1': async () => (await import('./mobilenet.ts')).mobilenetV1,
  'mobilenet-v2': async () => (await import('./mobilenet.ts')).mobilenetV2,
  vgg: async () => (await import('./vgg.ts')).vgg,
  'seg-lraspp': async () => (await import('./segmenters.ts')).segLraspp,
  unet: async () => (await import('./segmenters.ts')).unet,
  'det-nano': async () => (await import('./detectors.ts')).detNano,
  'det-small': async () => (await import('./detectors.ts')).detSmall,
  'points-nano': async () => (await import('./key-points.ts')).pointsNano,
  'points-small': async () => (await import('./key-points.ts')).pointsSmall,
  'text-transformer': async () => (await import('./text-transformer.ts')).textTransformer,
  'embedding-bag': async () => (await import('./embedding-bag.ts')).embeddingBag,
  'text-cnn': async () => (await import('./text-cnn.ts')).textCnn,
  gru: async () => (await import('./gru.ts')).gru,
  decoder: async () => (await import('./decoder.ts')).decoder,
  'gru-lm': async () => (await import('./gru-lm.ts')).gruLm,
  'cnn-1d': async () => (await import('./sequences.ts')).cnn1d,
  tcn: async () => (await import('./sequences.ts')).tcn,
  'stream-ds-tcn': async () => (await import('./stream-students.ts')).streamDsTcn,
  'stream-mixer': async () => (await import('./stream-students.ts')).streamMixer,
};

export interface BuildModelArgs extends ModelArgs {
  /** Options of the family, such as `{depth: 20, width: 2}`; absent options have their defaults. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** True for a student, whose size follows that of the samples where the options leave it open. */
  readonly isStudent?: boolean;
}

/** The family of a name; undefined for a name without one. */
export async function familyOf(name: string): Promise<ModelFamily | undefined> {
  return Object.hasOwn(FAMILIES, name) ? FAMILIES[name]!() : undefined;
}

/** True if a family can answer for the parts of a sample that are asked about. */
export function answersFor(
  { answersPer: own = ['sample'] }: ModelFamily,
  { answersPer = 'sample' }: Pick<ModelArgs, 'answersPer'>,
): boolean {
  return own.includes(answersPer);
}

/** Builds a model of a family, which answers for the asked parts of a sample. `UserError` for unknown options and wrong values. */
export function buildOf(
  name: string,
  family: ModelFamily,
  { options = {}, isStudent = false, ...args }: BuildModelArgs,
): LayersModel {
  // Token ids of the data are the defaults of the options.
  const { tokens = {} } = args;
  const known = Object.entries(tokens).filter(([key]) => Object.hasOwn(family.options, key));
  const own = isStudent ? family.forStudent?.(args.inputShape) : {};
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const all = { ...Object.fromEntries(known), ...own, ...Object.fromEntries(given) };
  return family.build(args, resolveOptions(name, family.options, all));
}
