import path from 'node:path';
import type { NodeProgram } from '../../../consumers/node/program.ts';

export const node: NodeProgram = {
  name: 'embed',
  DOES: 'Embeds samples, and finds those that are alike,',
  LABELS: 'names',
  ASKS: 'vectorOf',
  parts: path.join(import.meta.dirname, 'node/embed.mjs'),
  scripts: { SEARCH: path.join(import.meta.dirname, 'search.js') },
};
