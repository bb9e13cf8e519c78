import type { Element } from '../../page/browser/dom.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { make } from '../../page/browser/make.ts';

/** A sentence as the server answers it: its words, the words that have a tag, and the entities that the tags mark. */
interface Tagged {
  readonly words: readonly { readonly word: string; readonly label?: string }[];
  readonly unread?: number;
  readonly entities?: readonly { readonly type: string; readonly from: number; readonly to: number }[];
}

/** The words of a sentence with its entities marked; where tags mark none, each word with its tag. */
function marked({ words, unread = 0, entities }: Tagged): Element[] {
  const marks =
    entities ?? words.flatMap(({ label }, at) => (label === undefined ? [] : [{ type: label, from: at, to: at }]));
  const text = (from: number, end: number): string =>
    words
      .slice(from, end)
      .map(({ word }) => word)
      .join(' ');
  const parts: (Element | string)[] = [];
  let at = 0;
  for (const { type, from, to } of marks) {
    parts.push(`${text(at, from)} `, make('mark', {}, text(from, to + 1), make('small', {}, type)), ' ');
    at = to + 1;
  }
  parts.push(text(at, words.length));
  const are = unread === 1 ? 'word has' : 'words have';
  const note = `${unread} ${are} no tag: behind the last token that the model takes, or without one.`;
  return [make('p', {}, ...parts), ...(unread === 0 ? [] : [make('p', { class: 'caution' }, note)])];
}

export const shown: ShownForm<Tagged> = {
  told: { key: 'tags' },
  called: 'tags',
  title: 'texts to tag',
  shown: (tagged) => ({ elements: () => marked(tagged) }),
};
