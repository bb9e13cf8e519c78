import type { VectorTools } from '../../../commands/vectors.ts';
import { scorePairs } from './pairs.ts';
import { scoreQueries } from './queries.ts';
import { writeVectors } from './vectors.ts';

export const vectorTools: VectorTools = { scorePairs, scoreQueries, writeVectors };
