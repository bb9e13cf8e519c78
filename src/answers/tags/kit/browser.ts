import path from 'node:path';
import type { BrowserPages } from '../../../consumers/browser/page.ts';

export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'browser/tags.js'),
  scripts: { WORDS: path.join(import.meta.dirname, 'words.js') },
};
