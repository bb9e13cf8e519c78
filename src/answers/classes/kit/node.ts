import path from 'node:path';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'classify',
  DOES: 'Classifies samples',
  LABELS: 'labels',
  ASKS: 'logitsOf',
  parts: path.join(import.meta.dirname, 'node/classify.mjs'),
};
