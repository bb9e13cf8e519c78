import { LABELS_FILE } from './archive.ts';
import { FlatbufferError, hasIdentifier, readFlatbuffer } from '../flatbuffer/read.ts';
import { writeFlatbuffer } from '../flatbuffer/write.ts';
import { metadataSchema } from '../schema/metadata.ts';
import type { Fields } from '../schema/notation.ts';
import type { TfliteModel } from '../types.ts';
import type { CustomMetadata } from './mediapipe.ts';

/** Description for apps in the file: how to feed the model, and the meaning of its outputs. */
export interface ModelDescription {
  readonly name: string;
  readonly description?: string;
  readonly version?: string;
  readonly author?: string;
  readonly license?: string;
  readonly inputs?: Readonly<Record<string, InputDescription>>;
  /** Class names, one for each index of the last axis of the first output, or of the outputs that have labels. */
  readonly labels?: readonly string[];
  /** By name; default: the first output has the labels. */
  readonly outputs?: Readonly<Record<string, OutputDescription>>;
  /** Metadata for libraries of one kind of model, such as MediaPipe's segmenter. */
  readonly custom?: readonly CustomMetadata[];
  /** Further entries by name, which the standard metadata do not provide for, kept in a separate buffer. */
  readonly entries?: ReadonlyMap<string, string>;
}

interface OutputDescription {
  readonly hasLabels?: true;
  /** True for boxes whose sides are shares of the picture's. */
  readonly areBoxes?: true;
}

export interface InputDescription {
  readonly description?: string;
  /** For an image input: pixels are normalized as (value - mean) / std, with one number for all channels or one for each. */
  readonly image?: {
    readonly colorSpace: 'rgb' | 'grayscale';
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
}

export const METADATA_NAME = 'TFLITE_METADATA';
const COLOR = { rgb: 1, grayscale: 2 } as const;
const NORMALIZATION = 'NormalizationOptions';

/** The metadata flatbuffer `M001` of the standard tools, for a model with these inputs and outputs. */
export function encodeMetadata(
  description: ModelDescription,
  inputs: readonly string[],
  outputs: readonly string[],
): Uint8Array {
  const described = description.outputs ?? { [outputs[0] ?? '']: { hasLabels: true } };
  const hasLabels = description.labels !== undefined;
  return writeFlatbuffer(metadataSchema, {
    name: description.name,
    ...only(description, ['description', 'version', 'author', 'license']),
    subgraphMetadata: [
      {
        inputTensorMetadata: inputs.map((name) => inputMetadata(name, description.inputs?.[name])),
        outputTensorMetadata: outputs.map((name) => outputMetadata(name, hasLabels, described[name])),
        ...(description.custom !== undefined && { customMetadata: description.custom }),
      },
    ],
    minParserVersion: '1.0.0',
  });
}

export function inputMetadata(name: string, input: InputDescription = {}): Fields {
  const { image } = input;
  if (image === undefined) return { name, ...only(input, ['description']) };
  return {
    name,
    ...only(input, ['description']),
    content: { contentProperties: { type$: 'ImageProperties', colorSpace: COLOR[image.colorSpace] } },
    processUnits: [{ options: { type$: NORMALIZATION, mean: image.mean, std: image.std } }],
  };
}

export const LABELS_ENTRY = { name: LABELS_FILE, description: 'Class names, one a line.', type: 2 };
/** The only kind of box that MediaPipe takes. */
const BOUNDARIES = 1;

export function outputMetadata(name: string, hasLabels: boolean, output: OutputDescription = {}): Fields {
  const content = { contentProperties: { type$: 'BoundingBoxProperties', type: BOUNDARIES } };
  return {
    name,
    ...(output.areBoxes === true && { content }),
    ...(hasLabels && output.hasLabels === true && { associatedFiles: [LABELS_ENTRY] }),
  };
}

function only(from: object, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => keys.includes(key) && value !== undefined));
}

/** The metadata table of a model; undefined if it is missing or damaged, because a model runs without it. */
export function decodeMetadata(model: TfliteModel): Fields | undefined {
  const entry = model.metadata?.find(({ name }) => name === METADATA_NAME);
  const data = entry && model.buffers[entry.buffer]?.data;
  if (data === undefined || !hasIdentifier(metadataSchema, data)) return undefined;
  try {
    return readFlatbuffer(metadataSchema, data);
  } catch (error) {
    if (error instanceof FlatbufferError) return undefined;
    throw error;
  }
}
