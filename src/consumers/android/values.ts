import path from 'node:path';
import { NAMED_VALUES } from '../../ship/kit/app.ts';
import type { AndroidClasses } from './index.ts';

const FOLDER = path.join(import.meta.dirname, 'samples');

/** Classes for answers that are numbers, each with a name. */
export const android: AndroidClasses = {
  texts: { ...NAMED_VALUES.texts, parts: [path.join(FOLDER, 'values.kt')] },
  pictures: { ...NAMED_VALUES.pictures, parts: [path.join(FOLDER, 'picture-values.kt')] },
};
