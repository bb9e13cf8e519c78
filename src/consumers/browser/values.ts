import path from 'node:path';
import type { BrowserPages } from './page.ts';

/** Pages for answers that are numbers, each with a name. */
export const browser: BrowserPages = {
  parts: path.join(import.meta.dirname, 'samples/values.js'),
  KNOWN: 'targets',
};
