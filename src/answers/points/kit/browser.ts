import path from 'node:path';
import type { BrowserPages } from '../../../consumers/browser/page.ts';

export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'browser/points.js'),
  modules: [new URL('../found', import.meta.url), new URL('../drawn', import.meta.url)],
  isDrawn: true,
};
