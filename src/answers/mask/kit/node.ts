import path from 'node:path';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'segment',
  DOES: 'Segments pictures',
  LABELS: 'names',
  ASKS: 'logitsOf',
  parts: path.join(import.meta.dirname, 'node/segment.mjs'),
  modules: [new URL('../masks', import.meta.url), 'mask-colours'],
};
