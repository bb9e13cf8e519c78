import { readBytes } from '../../base/files.ts';
import { sampleId, countOfElements } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { EncodedPart } from '../../data/text/tokenizer/encode.ts';
import { PARTS } from '../../data/text/sink.ts';
import { TOKENIZER_FILE } from '../../data/text/tokenizer-file.ts';
import { ownFile } from '../../folder/own-file.ts';
import { SCRIPT_FILE, tokenizerModules, tokenizerScript } from './portable.ts';

/** Place of the tokenizer in a kit: beside the models, where `limbeck serve` looks for it. */
const PLACE = `models/${TOKENIZER_FILE}`;

/** Parts of what a tokenizer gives that a sample has, one behind the other: ids, and what a model of several inputs takes beside them. */
function partsOf({ inputs }: Pick<Dataset, 'inputs'>): readonly EncodedPart[] {
  return inputs === undefined ? ['ids'] : inputs.map(({ name }) => PARTS[name as keyof typeof PARTS]);
}

/** Entry of preprocessing.json on texts, and the files that make ids of them, those for phones too if asked for; nothing for other data. */
export async function textParts(split: Dataset, run: string, hasPhones: boolean) {
  const { text } = split;
  if (text === undefined) return { files: {}, said: {} };
  const hasFile = text.tokenizer === 'tokenizer.json';
  const modules = { ...(await tokenizerModules()), ...(hasPhones && { [SCRIPT_FILE]: await tokenizerScript() }) };
  const placed = Object.entries(modules).map(([name, content]) => [`samples/tokenize/${name}`, content]);
  return {
    files: {
      ...(Object.fromEntries(placed) as Record<string, string>),
      // Inside a project that says "type": "commonjs" too, Node reads them as what they are.
      'samples/tokenize/package.json': '{ "private": true, "type": "module" }\n',
      ...(hasFile && { [PLACE]: await readBytes(await ownFile(run, `exports/${TOKENIZER_FILE}`)) }),
    },
    said: { text: { ...text, parts: partsOf(split), ...(hasFile && { file: PLACE }) } },
  };
}

/** A row as example.json holds it: of texts the texts and what the tokenizer makes of them; of several inputs the numbers of each. */
export function plainExample(
  split: Dataset,
  row: number,
  raw: readonly number[],
  texts: ReadonlyMap<string, readonly string[]>,
): object {
  const { text, inputs } = split;
  const cut = (name: string, from: number, size: number) => [name, raw.slice(from, from + size)] as const;
  if (text !== undefined) {
    const found = texts.get(sampleId(split, row))!;
    const parts = partsOf(split).map((part, i) => cut(part, i * text.length, text.length));
    return { text: found.length === 1 ? found[0] : found, ...Object.fromEntries(parts) };
  }
  if (inputs === undefined) return { raw };
  return { inputs: Object.fromEntries(inputs.map(({ name, from, shape }) => cut(name, from, countOfElements(shape)))) };
}
