import path from 'node:path';
import type { IosClasses } from '../../../consumers/ios/index.ts';
import { APP } from './app.ts';

const FOLDER = path.join(import.meta.dirname, 'ios');

export const ios: IosClasses = {
  texts: { ...APP.texts, parts: [path.join(FOLDER, 'vector.swift'), path.join(FOLDER, 'search.swift')] },
  pictures: { ...APP.pictures, parts: [path.join(FOLDER, 'picture-vector.swift'), path.join(FOLDER, 'search.swift')] },
};
