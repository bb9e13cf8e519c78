import type { FormTasks } from '../../consumers/mediapipe/folder.ts';

// The metadata of these files have the softmax that MediaPipe computes.
export const mediapipe: FormTasks = { pictures: 'ImageSegmenter', hasLabels: true };
