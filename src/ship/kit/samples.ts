import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filledTemplate, templateParts } from '../../base/template.ts';
import type { Marks } from '../../base/template.ts';

/** Scripts that samples of several platforms have in common. */
const FOLDER = path.join(import.meta.dirname, 'samples');

/** File with its marks filled in, by its path or its name in `samples/`: a source of a kit, in the language of its name. */
export function sampleFile(file: string, marks: Marks = {}): string {
  return filledTemplate(read(file), marks);
}

/** Parts of files, for the marks of another one; those of later files replace those of earlier ones. */
export function sampleParts(...files: readonly string[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...files.map((file) => templateParts(read(file)))) as Readonly<Record<string, string>>;
}

/** Whole files as texts for marks. */
export function sampleTexts<Name extends string>(
  files: Readonly<Record<Name, string>>,
): Readonly<Record<Name, string>> {
  const texts = Object.entries<string>(files).map(([mark, file]) => [mark, read(file).trimEnd()]);
  return Object.fromEntries(texts) as Record<Name, string>;
}

/** Functions that the program for Node and the pages have in common. */
export function sharedScripts(): Marks {
  return sampleTexts({
    FEEDS: 'feeds.js',
    NORMALIZE: 'prepare.js',
    JOINED: 'joined.js',
    IDS: 'ids.js',
    ROWS: 'rows.js',
  });
}

function read(file: string): string {
  return readFileSync(path.resolve(FOLDER, file), 'utf8');
}
