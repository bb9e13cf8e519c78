import path from 'node:path';
import { PNG_WRITER } from '../../../consumers/node/program.ts';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'points',
  DOES: 'Finds points in pictures',
  LABELS: 'labels',
  ASKS: 'answersOf',
  parts: path.join(import.meta.dirname, 'node/points.mjs'),
  scripts: { PNG: PNG_WRITER },
  isPlaced: true,
  modules: [new URL('../found', import.meta.url), new URL('../drawn', import.meta.url)],
};
