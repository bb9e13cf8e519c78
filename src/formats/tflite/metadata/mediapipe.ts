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

/** Options of MediaPipe's ObjectDetector: mediapipe/tasks/metadata/object_detector_metadata_schema.fbs. */
const detectorSchema: Schema = {
  root: 'ObjectDetectorOptions',
  identifier: 'V001',
  tables: {
    FixedAnchor: 'xCenter:f32 yCenter:f32 width:f32 height:f32',
    FixedAnchorsSchema: 'anchors:[FixedAnchor]',
    SsdAnchorsOptions: 'fixedAnchorsSchema:FixedAnchorsSchema',
    TensorsDecodingOptions:
      'numClasses:i32 numBoxes:i32 numCoords:i32 keypointCoordOffset:i32 numKeypoints:i32 numValuesPerKeypoint:i32 xScale:f32 yScale:f32 wScale:f32 hScale:f32 applyExponentialOnBoxSize:bool sigmoidScore:bool',
    ObjectDetectorOptions:
      'minParserVersion:string ssdAnchorsOptions:SsdAnchorsOptions tensorsDecodingOptions:TensorsDecodingOptions',
  },
  unions: {},
};

/** Anchor by which MediaPipe takes a box for a share of the picture, as it is. */
const WHOLE_PICTURE = { width: 1, height: 1 };

/** Names of the two outputs by which MediaPipe's ObjectDetector tells them apart. */
export const DETECTOR_OUTPUTS = { boxes: 'location', scores: 'score' } as const;

/**
 * Metadata by which MediaPipe's ObjectDetector reads boxes [1, points, 4] (centre y, centre x, height, width as shares of the picture's sides) and
 * probabilities [1, points, classes].
 */
export function detectorMetadata(points: number, classes: number): CustomMetadata {
  const options = {
    minParserVersion: '1.0.0',
    ssdAnchorsOptions: { fixedAnchorsSchema: { anchors: Array.from({ length: points }, () => WHOLE_PICTURE) } },
    tensorsDecodingOptions: {
      numClasses: classes,
      numBoxes: points,
      numCoords: 4,
      // It stops the process at any other number of values, also without keypoints.
      numValuesPerKeypoint: 2,
      xScale: 1,
      yScale: 1,
      wScale: 1,
      hScale: 1,
    },
  };
  return { name: 'DETECTOR_METADATA', data: writeFlatbuffer(detectorSchema, options) };
}
