import { DETECTOR_OUTPUTS } from '../../formats/tflite/metadata/mediapipe.ts';
import type { FormTasks } from '../../consumers/mediapipe/folder.ts';
import { USUAL_THRESHOLD } from './threshold.ts';

export const mediapipe: FormTasks = {
  pictures: 'ObjectDetector',
  activation: 'LOGISTIC',
  answer: DETECTOR_OUTPUTS.scores,
  hasLabels: true,
  usualThreshold: USUAL_THRESHOLD,
};
