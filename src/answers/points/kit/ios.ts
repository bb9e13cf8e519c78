import path from 'node:path';
import type { IosClasses } from '../../../consumers/ios/index.ts';
import { APP } from './app.ts';

const FOLDER = path.join(import.meta.dirname, 'ios');

export const ios: IosClasses = {
  pictures: { ...APP.pictures, parts: [path.join(FOLDER, 'picture-points.swift')] },
};
