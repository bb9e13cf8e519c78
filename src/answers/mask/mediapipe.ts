import type { FormTasks } from '../../ship/mediapipe/folder.ts';

// The metadata of these files have the softmax that MediaPipe computes.
export const mediapipe: FormTasks = { pictures: 'ImageSegmenter', hasLabels: true };
