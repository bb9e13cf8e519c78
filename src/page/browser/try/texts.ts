import type { Described } from '../card.ts';
import { make } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';

/** Pause of the typist, in milliseconds, after which a text is asked about. */
export const PAUSE_MS = 250;

/** A text, or a pair of them, as it is: the server makes token ids of it with the tokenizer of each model. */
export function texts({ text }: Described, onQuestion: OnQuestion): Source {
  const isPair = text!.texts === 2;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const areas = (isPair ? ['First text', 'Second text'] : ['Text']).map((label, i) => ({
    label: make('label', { for: `text${i}` }, label),
    area: make('textarea', { id: `text${i}`, rows: isPair ? 4 : 8 }),
  }));
  const send = (): void => {
    const given = areas.map(({ area }) => area.value);
    if (given.some((one) => one.trim() === '')) onQuestion(undefined);
    else {
      const body = JSON.stringify({ inputs: isPair ? [given] : given });
      onQuestion(Promise.resolve({ body, type: 'application/json' }));
    }
  };
  for (const { area } of areas) {
    area.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(send, PAUSE_MS);
    });
  }
  const element = make('div', {}, ...areas.flatMap(({ label, area }) => [label, area]));
  return { element, stop: () => clearTimeout(timer) };
}
