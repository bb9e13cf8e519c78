import type { FormTasks } from '../../consumers/mediapipe/folder.ts';

export const mediapipe: FormTasks = { texts: 'TextEmbedder', pictures: 'ImageEmbedder' };
