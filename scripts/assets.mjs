import { cpSync } from 'node:fs';
import path from 'node:path';

/**
 * `node scripts/assets.mjs [folder]`: copies the files of src in other languages than TypeScript, such as the samples of a kit, to the compiled program
 * in the folder, by default `dist`.
 */
const root = path.resolve(import.meta.dirname, '..');
const [folder = path.join(root, 'dist')] = process.argv.slice(2);
// The samples have a file in TypeScript, which a kit holds as it is.
const isAsset = (file) => !/\.(ts|proto)$/.test(file) || file.includes(`${path.sep}samples${path.sep}`);
cpSync(path.join(root, 'src'), folder, { recursive: true, filter: isAsset });
