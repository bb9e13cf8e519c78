import type { FormTasks } from '../../ship/mediapipe/folder.ts';

export const mediapipe: FormTasks = { texts: 'TextEmbedder', pictures: 'ImageEmbedder' };
