import path from 'node:path';
import type { BrowserPages } from '../../../consumers/browser/page.ts';

export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'browser/boxes.js'),
  scripts: { BOXES: path.join(import.meta.dirname, 'boxes.js') },
  modules: [new URL('../suppression', import.meta.url), new URL('../drawn', import.meta.url)],
  isDrawn: true,
};
