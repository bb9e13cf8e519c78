import path from 'node:path';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { storedWordEncoder } from '../../data/text/open.ts';
import type { ExampleOf } from '../../ship/kit/forms.ts';
import { tagsAt } from './entities.ts';

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
