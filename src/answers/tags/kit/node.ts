import path from 'node:path';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'tag',
  DOES: 'Tags the words of texts',
  LABELS: 'names',
  ASKS: 'logitsOf',
  parts: path.join(import.meta.dirname, 'node/tag.mjs'),
  samples: path.join(import.meta.dirname, 'node/tags.mjs'),
  scripts: { WORDS: path.join(import.meta.dirname, 'words.js') },
};
