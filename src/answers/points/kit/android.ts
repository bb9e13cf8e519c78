import path from 'node:path';
import type { AndroidClasses } from '../../../consumers/android/index.ts';
import { APP } from './app.ts';

const FOLDER = path.join(import.meta.dirname, 'android');

export const android: AndroidClasses = {
  pictures: { ...APP.pictures, parts: [path.join(FOLDER, 'picture-points.kt')] },
};
