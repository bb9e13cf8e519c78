import path from 'node:path';
import type { BrowserPages } from '../../../consumers/browser/page.ts';

export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'browser/mask.js'),
  modules: [new URL('../masks', import.meta.url), 'mask-colours'],
  isDrawn: true,
};
