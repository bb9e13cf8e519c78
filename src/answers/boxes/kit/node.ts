import path from 'node:path';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'detect',
  DOES: 'Finds objects in pictures',
  LABELS: 'labels',
  ASKS: 'answersOf',
  parts: path.join(import.meta.dirname, 'node/detect.mjs'),
  scripts: { BOXES: path.join(import.meta.dirname, 'boxes.js') },
  modules: ['fitted', new URL('../suppression', import.meta.url)],
  takes: '{"raw": [pixels from 0 to 255, row by row, channels last], "height": 480, "width": 640}, ...',
};
