import path from 'node:path';
import type { AndroidClasses } from '../../../consumers/android/index.ts';
import { APP } from './app.ts';

const FOLDER = path.join(import.meta.dirname, 'android');

export const android: AndroidClasses = {
  texts: { ...APP.texts, parts: [path.join(FOLDER, 'tags.kt')] },
};
