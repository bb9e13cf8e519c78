import path from 'node:path';
import type { BrowserPages } from '../../../consumers/browser/page.ts';

export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'browser/classes.js'),
};
