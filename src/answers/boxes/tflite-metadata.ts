import { DETECTOR_OUTPUTS, detectorMetadata } from '../../formats/tflite/metadata/mediapipe.ts';
import type { MediaPipeMetadata } from '../../ship/description.ts';

/** Points of a picture of 7,000 × 7,000 pixels: a stranger's file that states more is not believed. */
const MOST_POINTS = 1e6;

export const tfliteMetadata: MediaPipeMetadata = (output, fields = []) => {
  const [[points, sides], [of, classes]] = [fields[0]?.shape ?? [], fields[1]?.shape ?? []];
  const isSound = sides === 4 && of === points && classes !== undefined && points! <= MOST_POINTS;
  if (output !== 'detections' || !isSound) return undefined;
  return {
    custom: detectorMetadata(points!, classes),
    each: 'each box',
    outputs: {
      [DETECTOR_OUTPUTS.boxes]: { areBoxes: true },
      [DETECTOR_OUTPUTS.scores]: { hasLabels: true },
    },
  };
};
