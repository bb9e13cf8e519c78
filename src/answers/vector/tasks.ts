import type { Tasks } from '../../tasks/registry.ts';
import { sentenceSimilarity } from './pairs-task.ts';
import { embedding } from './task.ts';

export const tasks: Tasks = { embedding, 'sentence-similarity': sentenceSimilarity };
