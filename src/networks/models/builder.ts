import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { model as layersModel } from '@tensorflow/tfjs-layers';
import { shown, UserError } from '../../base/errors.ts';
import type { AnswersPer } from '../../recipe/answer-forms.ts';
import { Blocks } from './blocks.ts';
import type { OptionSpecs, OptionsOf } from './options.ts';

/** Arguments of every builder: shape of a sample without the batch, number of classes, seed of the weights. */
export interface ModelArgs {
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly seed: number;
  /** Number of token ids and id of padding, for samples that are texts. */
  readonly tokens?: { readonly vocabulary: number; readonly padding: number } | undefined;
  /** Part of a sample that gets logits: [batch, classes], [batch, length, classes], or [batch, height / stride, width / stride, classes]. Default: sample. */
  readonly answersPer?: AnswersPer | undefined;
  /** Pixels from an answer to the next one, in height and width, for answers per pixel. */
  readonly stride?: number | undefined;
  /** Shapes [height, width, channels] of the feature maps of another backbone, at the strides of the family. Default: the family's own backbone. */
  readonly features?: readonly (readonly number[])[] | undefined;
  /** False for detectors whose boxes need no non-maximum suppression. Default: true. */
  readonly nms?: boolean | undefined;
}

export interface ModelFamily {
  /** One sentence. */
  readonly doc: string;
  readonly options: OptionSpecs;
  /** True if it takes only pictures [height, width, channels]. */
  readonly isOfPictures?: boolean | undefined;
  /** Parts of a sample that it can give logits for. Default: the sample. */
  readonly answersPer?: readonly AnswersPer[] | undefined;
  /** Strides of the feature maps that its neck and head read, for families that another backbone can stand under. */
  readonly strides?: readonly number[] | undefined;
  /** Defaults of a student's options that depend on the shape of a sample; they replace the defaults in `options`. */
  readonly forStudent?: ((inputShape: readonly number[]) => Readonly<Record<string, unknown>>) | undefined;
  /** Builds a model from [batch, ...inputShape], or from `features`, to logits [batch, classes], without softmax. */
  readonly build: (args: ModelArgs, options: Readonly<Record<string, unknown>>) => LayersModel;
}

/** Types a family's options by their specs: `build` gets the values that `resolveOptions` has checked. */
export function family<S extends OptionSpecs>(definition: {
  readonly doc: string;
  readonly options: S;
  readonly isOfPictures?: boolean;
  readonly answersPer?: readonly AnswersPer[];
  readonly strides?: readonly number[];
  readonly forStudent?: ModelFamily['forStudent'];
  readonly build: (args: ModelArgs & { readonly blocks: Blocks }, options: OptionsOf<S>) => LayersModel;
}): ModelFamily {
  return {
    doc: definition.doc,
    options: definition.options,
    isOfPictures: definition.isOfPictures,
    answersPer: definition.answersPer,
    strides: definition.strides,
    forStudent: definition.forStudent,
    build: (args, options) => definition.build({ ...args, blocks: new Blocks(args.seed) }, options as OptionsOf<S>),
  };
}

export function network(name: string, inputs: SymbolicTensor | SymbolicTensor[], logits: SymbolicTensor): LayersModel {
  return layersModel({ inputs, outputs: logits, name });
}

/** Height, width and channels of an image model's input; `UserError` for other shapes, with a model that fits. */
export function imageInputShape(
  model: string,
  shape: readonly number[],
  smallest = 1,
): [height: number, width: number, channels: number] {
  if (shape.length !== 3) {
    throw new UserError(
      `model ${model} takes images [height, width, channels], received samples of shape ${shown(shape)}`,
      'Choose mlp for tables, cnn-1d, tcn, gru or text-transformer for sequences, or give the dataset an image shape.',
    );
  }
  const [height, width, channels] = shape as [number, number, number];
  if (Math.min(height, width) < smallest) {
    throw new UserError(
      `model ${model} takes images of at least ${smallest}x${smallest}, received ${height}x${width}`,
      'Choose mlp for pictures this small, or set `resize` where the dataset has it.',
    );
  }
  return [height, width, channels];
}

/** Number of times that a model may halve a picture before it is smaller than 4 pixels. */
export function halvings(height: number, width: number): number {
  return Math.max(0, Math.floor(Math.log2(Math.min(height, width) / 4)));
}
