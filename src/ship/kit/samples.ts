import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { filledTemplate, templateParts } from '../../base/template.ts';
import type { Marks } from '../../base/template.ts';

const FOLDER = path.join(import.meta.dirname, 'samples');

/** File of `samples/` with its marks filled in: a source of a kit, in the language of its name. */
export function sampleFile(name: string, marks: Marks = {}): string {
  return filledTemplate(read(name), marks);
}

/** Parts of files of `samples/`, for the marks of another one; those of later files replace those of earlier ones. */
export function sampleParts(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...names.map((name) => templateParts(read(name)))) as Readonly<Record<string, string>>;
}

/** Parts of a file of a form of answers: in its own folder, or in `samples/`. */
export function formParts(folder: string | undefined, name: string): Readonly<Record<string, string>> {
  const own = folder === undefined ? undefined : path.join(folder, name);
  if (own === undefined || !existsSync(own)) return sampleParts(name);
  return templateParts(readFileSync(own, 'utf8'));
}

/** Whole files of `samples/` as texts for marks. */
export function sampleTexts<Name extends string>(
  names: Readonly<Record<Name, string>>,
): Readonly<Record<Name, string>> {
  const texts = Object.entries<string>(names).map(([mark, name]) => [mark, read(name).trimEnd()]);
  return Object.fromEntries(texts) as Record<Name, string>;
}

/** Functions that the program for Node and the pages have in common. */
export function sharedScripts(): Marks {
  return sampleTexts({
    ...{ FEEDS: 'feeds.js', NORMALIZE: 'prepare.js', JOINED: 'joined.js', IDS: 'ids.js', WORDS: 'words.js' },
    BOXES: 'boxes.js',
    ROWS: 'rows.js',
    SEARCH: 'search.js',
  });
}

function read(name: string): string {
  return readFileSync(path.join(FOLDER, name), 'utf8');
}
