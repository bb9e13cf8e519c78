import path from 'node:path';
import { PNG_WRITER } from '../../../consumers/node/program.ts';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'segment',
  DOES: 'Segments pictures',
  LABELS: 'names',
  ASKS: 'logitsOf',
  parts: path.join(import.meta.dirname, 'node/segment.mjs'),
  scripts: { PNG: PNG_WRITER },
  modules: ['fitted', new URL('../masks', import.meta.url), new URL('../../../report/mask-colours', import.meta.url)],
};
