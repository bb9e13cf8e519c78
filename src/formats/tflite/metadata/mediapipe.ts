import { writeFlatbuffer } from '../flatbuffer/write.ts';
import type { Schema } from '../schema/notation.ts';

/** Metadata of a kind of model that the standard tables do not provide for, by the name that its readers look for. */
export interface CustomMetadata {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Options of MediaPipe's ImageSegmenter: mediapipe/tasks/metadata/image_segmenter_metadata_schema.fbs. */
const segmenterSchema: Schema = {
  root: 'ImageSegmenterOptions',
  identifier: 'V001',
  tables: { ImageSegmenterOptions: 'activation:i8 minParserVersion:string' },
  unions: {},
};

/** Functions that MediaPipe applies to the output of a segmenter. */
const ACTIVATION = { none: 0, sigmoid: 1, softmax: 2 } as const;

/** Metadata by which MediaPipe's ImageSegmenter makes probabilities of the output [1, height, width, classes]. */
export function segmenterMetadata(activation: keyof typeof ACTIVATION): CustomMetadata {
  const options = { activation: ACTIVATION[activation], minParserVersion: '1.0.0' };
  return { name: 'SEGMENTER_METADATA', data: writeFlatbuffer(segmenterSchema, options) };
}
