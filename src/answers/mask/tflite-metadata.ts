import { segmenterMetadata } from '../../formats/tflite/metadata/mediapipe.ts';
import type { MediaPipeMetadata } from '../../ship/description.ts';

export const tfliteMetadata: MediaPipeMetadata = (output) =>
  output === 'logits' ? { custom: segmenterMetadata('softmax'), each: 'each pixel' } : undefined;
