import { readBytes } from '../../base/files.ts';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { TOKENIZER_FILE } from '../../data/text/open.ts';
import path from 'node:path';
import { SCRIPT_FILE, tokenizerModules, tokenizerScript } from './portable.ts';

/** Place of the tokenizer in a kit: beside the models, where `limbeck serve` looks for it. */
const PLACE = `models/${TOKENIZER_FILE}`;

/** Entry of preprocessing.json on texts, and the files that make ids of them, those for phones too if asked for; nothing for other data. */
export async function textParts({ text }: Dataset, run: string, hasPhones: boolean) {
  if (text === undefined) return { files: {}, said: {} };
  const hasFile = text.tokenizer === 'tokenizer.json';
  const modules = { ...(await tokenizerModules()), ...(hasPhones && { [SCRIPT_FILE]: await tokenizerScript() }) };
  const placed = Object.entries(modules).map(([name, content]) => [`samples/tokenize/${name}`, content]);
  return {
    files: {
      ...(Object.fromEntries(placed) as Record<string, string>),
      ...(hasFile && { [PLACE]: await readBytes(path.join(run, 'exports', TOKENIZER_FILE)) }),
    },
    said: { text: { ...text, ...(hasFile && { file: PLACE }) } },
  };
}

/** A row as example.json holds it: of texts the texts and the ids that come of them. */
export function plainExample(
  split: Dataset,
  row: number,
  raw: readonly number[],
  texts: ReadonlyMap<string, readonly string[]>,
): object {
  if (split.text === undefined) return { raw };
  const found = texts.get(sampleId(split, row))!;
  return { text: found.length === 1 ? found[0] : found, ids: raw };
}

/** `prepare` of the samples for Node. */
export const NODE_TEXT = `const text = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8')).text;
const tokenizer = text.file && JSON.parse(readFileSync(new URL(text.file, kit), 'utf8'));
const encode = encoderFor(text, tokenizer);

/** Token ids of a text, or of two of a pair. */
export function prepare(raw) {
  return Float32Array.from(encode([raw].flat()).ids);
}
`;

/** Comparison of the ids that `prepare` gives for an example with those of the file. */
export const NODE_TEXT_CHECK = `  if (ids?.some((id, i) => id !== prepare(raw)[i])) {
    console.error('not the token ids that example.json holds');
    process.exitCode = 1;
  }
`;
