import path from 'node:path';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { storedWordEncoder } from '../../data/text/open.ts';
import { tagsAt } from '../../tasks/tagging/entities.ts';

/** The parts of a kit that are for models that give each word of a text a tag. */

/** Function that makes the entries of a row in example.json, of its raw values and of the answers of a model. */
export type ExampleOf = (row: number, raw: readonly number[], answers: Float32Array) => object;

/**
 * Rows as their words, the ids that come of them, the tags of the data (`labels`) and those of a model (`tags`), null for a word that the model is
 * not fed. `run`: the folder whose `exports` hold the tokenizer.
 */
export async function taggedExamples(
  split: Dataset,
  run: string,
  texts: ReadonlyMap<string, readonly string[]>,
): Promise<ExampleOf> {
  const { targets, classNames } = split;
  const text = split.text!;
  const encode = await storedWordEncoder(text, path.join(run, 'exports'));
  return (row, raw, answers) => {
    const words = texts.get(sampleId(split, row))!;
    const starts = encode(words).words;
    const places = [...starts.keys()].filter((at) => starts[at]! >= 0);
    const byWord = (tags: readonly number[]): (string | null)[] => {
      const found = words.map((): string | null => null);
      places.forEach((at, i) => (found[starts[at]!] = classNames[tags[i]!]!));
      return found;
    };
    const labels = byWord(places.map((at) => targets[row * text.length + at]!));
    return { words, ids: raw, labels, tags: byWord(tagsAt(answers, places, classNames.length)) };
  };
}

/** Import of the programs, from the modules of the tokenizer. */
export const WORD_IMPORT = "import { wordEncoderFor, wordsIn } from '../tokenize/words.js';\n";

/** `prepare` of words, and tags by the answer to them, after `encode` is there. `names` are the tags. */
function wordScript(names: string): string {
  return `/** Token ids of a list of words. */
export function prepare(words) {
  return Float32Array.from(encode(words).ids);
}

/** The tag of each word: of the largest logit at its first token. Null for a word without one, and behind the last token that the model takes. */
export function tagsOf(words, logits) {
  const tags = words.map(() => null);
  encode(words).words.forEach((word, at) => {
    if (word < 0) return;
    const row = Array.from(logits.slice(at * ${names}.length, (at + 1) * ${names}.length));
    tags[word] = ${names}[row.indexOf(Math.max(...row))];
  });
  return tags;
}
`;
}

/** `prepare` of the program for Node. */
export const NODE_WORDS = `const text = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8')).text;
const encode = wordEncoderFor(text, text.file && JSON.parse(readFileSync(new URL(text.file, kit), 'utf8')));

${wordScript('names')}`;

/** The same of the pages. */
export const PAGE_WORDS = `const { text } = await (await load('preprocessing.json')).json();
const encode = wordEncoderFor(text, text.file && (await (await load(text.file)).json()));

${wordScript('labels')}`;

/** Work of the program for Node on each sample: a word and its tag on a line, and a blank line behind a sentence. */
export const NODE_EACH = `  const expected = sample.logits;
  const words = sample.words ?? wordsIn(sample.text);
  if (sample.ids?.some((id, i) => id !== prepare(words)[i])) {
    console.error('not the token ids that example.json holds');
    process.exitCode = 1;
  }
  const logits = await logitsOf(words);
  const tags = tagsOf(words, logits);
  console.log(words.map((word, i) => (tags[i] === null ? word : word + '\\t' + tags[i]) + '\\n').join(''));
  const differs = expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)));
  if (differs || sample.tags?.some((tag, i) => tag !== tags[i])) {
    console.error('not the logits and tags that example.json holds');
    process.exitCode = 1;
  }
`;

/** Function of the pages that asks a model about words, and shows them with their tags. */
export const PAGE_SHOW = `  const show = async (words) => {
    const logits = await classify(words);
    const tags = tagsOf(words, logits);
    const item = document.createElement('li');
    item.textContent = words.map((word, i) => (tags[i] === null ? word : word + '/' + tags[i])).join(' ');
    list.append(item);
    return { tags, logits: Array.from(logits) };
  };
`;

/** Script of the page for a text that is written. */
export const PAGE_CHOOSE = `  const written = document.querySelector('textarea');
  written.onchange = () => show(wordsIn(written.value));
`;

export const PAGE_FIELD = '<textarea rows="4" cols="60" aria-label="Text"></textarea>';
