import type { FormTasks } from '../../consumers/mediapipe/folder.ts';

export const mediapipe: FormTasks = {
  texts: 'TextClassifier',
  pictures: 'ImageClassifier',
  activation: 'SOFTMAX',
  answer: 'probabilities',
  hasLabels: true,
};
