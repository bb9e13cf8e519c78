import type { Dataset } from '../../data/dataset.ts';
import { isImageShape } from '../../data/dataset.ts';
import { UserError } from '../../base/errors.ts';
import { Slot } from '../../base/registry.ts';
import type { Skipped } from '../../base/skipped.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import type { Model } from '../../formats/onnx/model.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Form } from '../../report/artifact.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session-options.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';

/** A pipeline of transformers.js that opens a model. */
export type Pipeline =
  | 'image-classification'
  | 'image-segmentation'
  | 'object-detection'
  | 'image-feature-extraction'
  | 'text-classification'
  | 'token-classification'
  | 'feature-extraction'
  | 'text-generation';

const MODELS: Readonly<Record<Exclude<Pipeline, 'text-generation'>, readonly [type: string, architecture: string]>> = {
  'image-classification': ['resnet', 'ResNetForImageClassification'],
  'image-segmentation': ['segformer', 'SegformerForSemanticSegmentation'],
  'object-detection': ['yolos', 'YolosForObjectDetection'],
  'image-feature-extraction': ['resnet', 'ResNetModel'],
  'text-classification': ['bert', 'BertForSequenceClassification'],
  'token-classification': ['bert', 'BertForTokenClassification'],
  'feature-extraction': ['bert', 'BertModel'],
};

/** Processors of pictures, where not the usual one. */
const PROCESSORS: Readonly<Partial<Record<Pipeline, string>>> = {
  'image-segmentation': 'SegformerImageProcessor',
  'object-detection': 'YolosImageProcessor',
};

/** Models and settings that a form makes of the float32 file of a run, in place of the usual ones. */
export type PipelineFiles = (
  float: Model,
  options: {
    /** Name of the file, for errors. */
    readonly file: string;
    /** Files are measured on it. */
    readonly split: Dataset;
    readonly session: SessionOptions;
    /** Content of the tokenizer.json. */
    readonly tokenizer: Uint8Array;
    readonly recipe: Recipe;
  },
) => Promise<{
  readonly models: readonly {
    readonly name: string;
    readonly precision: Form['precision'];
    readonly content: OnnxContent;
    readonly score: number;
  }[];
  readonly files: ReadonlyMap<string, string>;
  readonly skipped: readonly Skipped[];
  readonly notes: readonly string[];
}>;

export interface PipelineForm {
  readonly pipelineFiles?: PipelineFiles;
  readonly texts?: Pipeline;
  readonly pictures?: Pipeline;
  /** Last step of the files, where not that of their kind of data. */
  readonly withEnds?: (model: Model, data: Dataset) => Model;
  /** Score from which boxes are shown where a model states none. */
  readonly usualThreshold?: number;
  /** `problem_type` of config.json; absent for one class. */
  readonly problem?: string;
}

/** Pipelines for a form of answers, and what their config.json says of it. */
const TRANSFORMERS = new Slot<PipelineForm>(answerForms, 'transformers', 'pipeline of transformers.js');

/** The pipeline for the answers of a data set. `UserError` where there is none. */
export async function pipelineOf(data: Dataset): Promise<PipelineForm & { readonly pipeline: Pipeline }> {
  const { text, task, sampleShape, samples, inputs } = data;
  const form = await TRANSFORMERS.loadIfThere(taskRow(task).form);
  const refuse = (fact: string, hint: string): never => {
    throw new UserError(`export --transformers: ${fact}`, hint);
  };
  if (form === undefined) return refuse(`no pipeline answers ${task}`, OTHERS);
  if (text !== undefined && form.texts !== undefined) {
    if (text.tokenizer !== 'tokenizer.json')
      refuse(
        `expected a tokenizer.json, received the tokenizer ${text.tokenizer}`,
        'Set `dataset.text.tokenizer` to a tokenizer.json of Hugging Face, which the pipeline reads too.',
      );
    if (text.texts === 2) refuse('pipelines take one text, received pairs of texts', OTHERS);
    return { ...form, pipeline: form.texts };
  }
  if (form.pictures === undefined) return refuse('pipelines give pictures one class, received several labels', OTHERS);
  const [, , channels] = sampleShape;
  if (!isImageShape(sampleShape) || (channels !== 1 && channels !== 3) || inputs !== undefined)
    refuse(`expected pictures or texts, received samples of shape [${sampleShape.join(', ')}]`, OTHERS);
  if (!(samples instanceof Uint8Array))
    refuse(
      'expected pictures of 8 bits, received numbers of another range',
      'Pipelines open picture files: train on those, or on arrays of uint8.',
    );
  if (data.fit === 'letterbox' && sampleShape[0] !== sampleShape[1])
    refuse(
      `the pipeline keeps the proportions of pictures in squares alone, and the model takes ${sampleShape[0]!}x${sampleShape[1]!}`,
      'Train at a square size, or with `fit: stretch`.',
    );
  return { ...form, pipeline: form.pictures };
}

const OTHERS = '`limbeck export RUN --kit DIR` writes samples for browsers and Node.js that need no pipeline.';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** config.json, and what says how inputs are prepared. `tokenizer`: content of the tokenizer.json. */
export async function configFiles(
  pipeline: keyof typeof MODELS,
  data: Dataset,
  tokenizer: Uint8Array | undefined,
): Promise<Map<string, string | Uint8Array>> {
  const { classNames, sampleShape, text, task, vector } = data;
  const isVector = vector !== undefined;
  const [type, architecture] = MODELS[pipeline];
  const problem = (await TRANSFORMERS.load(taskRow(task).form)).problem;
  const files = new Map<string, string | Uint8Array>();
  files.set(
    'config.json',
    json({
      model_type: type,
      architectures: [architecture],
      ...(problem !== undefined && { problem_type: problem }),
      ...(isVector
        ? {}
        : {
            id2label: Object.fromEntries(classNames.map((name, i) => [i, name])),
            label2id: Object.fromEntries(classNames.map((name, i) => [name, i])),
          }),
      ...(text === undefined ? { num_channels: 3 } : { max_position_embeddings: text.length }),
    }),
  );
  if (tokenizer === undefined || text === undefined) {
    const [height, width] = sampleShape;
    const size = data.fit === 'letterbox' ? { shortest_edge: height, longest_edge: height } : { height, width };
    const steps = { do_resize: true, size, resample: 1, do_rescale: false, do_normalize: false };
    const processor = PROCESSORS[pipeline] ?? 'ViTImageProcessor';
    return files.set('preprocessor_config.json', json({ image_processor_type: processor, ...steps }));
  }
  const pad = paddingToken(tokenizer, text.padding);
  const settings = { tokenizer_class: 'PreTrainedTokenizer', model_max_length: text.length };
  files.set('tokenizer.json', withAllParts(tokenizer));
  return files.set('tokenizer_config.json', json({ ...settings, ...(pad !== undefined && { pad_token: pad }) }));
}

/** Parts that transformers.js wants in every tokenizer.json; null stands for none. */
const PARTS = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'];

/** The same file where it has all parts. */
function withAllParts(tokenizer: Uint8Array): Uint8Array | string {
  const content = JSON.parse(Buffer.from(tokenizer).toString('utf8')) as object;
  const missing = PARTS.filter((part) => !(part in content));
  return missing.length === 0
    ? tokenizer
    : json({ ...Object.fromEntries(missing.map((part) => [part, null])), ...content });
}

interface StoredTokenizer {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[] };
}

/** The token with the id of padding, which a pipeline fills several texts up with; undefined if the tokenizer has none. */
function paddingToken(tokenizer: Uint8Array, id: number): string | undefined {
  const { added_tokens: added = [], model } = JSON.parse(Buffer.from(tokenizer).toString('utf8')) as StoredTokenizer;
  const { vocab = {} } = model;
  const inOrder = Array.isArray(vocab) ? (vocab[id] as [string] | undefined)?.[0] : undefined;
  const named = Object.entries(vocab).find(([, value]) => value === id)?.[0];
  return added.find((token) => token.id === id)?.content ?? inOrder ?? (Array.isArray(vocab) ? undefined : named);
}
