import type { Described } from '../card.ts';
import type { File } from '../dom.ts';
import { make, say } from '../make.ts';
import { chooser } from './chooser.ts';
import type { OnQuestion, Source } from './draw.ts';
import type { Question } from './frame.ts';
import { inverting, readPicture } from './picture.ts';
import { PAUSE_MS } from './texts.ts';

/** Largest number of samples that are compared. */
const MOST = 20;

/** Letters of a text that stand for it in the table. */
const SHOWN = 60;

const NOTE = `Up to ${MOST} are compared.`;

/** Texts to compare, each on a line. */
export function sentences(onQuestion: OnQuestion): Source {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const area = make('textarea', { id: 'texts', rows: 10 });
  const send = (): void => {
    const lines = area.value.split('\n').filter((line) => line.trim() !== '');
    onQuestion(lines.length === 0 ? undefined : Promise.resolve(together(lines.slice(0, MOST).map(textQuestion))));
  };
  area.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  });
  const element = make(
    'div',
    {},
    make('label', { for: 'texts' }, 'A text on each line'),
    area,
    make('p', { class: 'soft' }, NOTE),
  );
  return { element, stop: () => clearTimeout(timer) };
}

function textQuestion(text: string): Question {
  const label = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return { body: JSON.stringify({ inputs: [text] }), type: 'application/json', label };
}

/** Pictures to compare, from files. */
export function pictures(described: Described, onQuestion: OnQuestion): Source {
  let files: File[] = [];
  const state = make('p', { class: 'soft', role: 'status' }, NOTE);
  const send = (): void => {
    say(state, files.length === 0 ? NOTE : `${files.length} picture${files.length === 1 ? '' : 's'}. ${NOTE}`);
    onQuestion(files.length === 0 ? undefined : asked(files));
  };
  const asked = async (chosen: readonly File[]): Promise<Question> => {
    const questions: Question[] = [];
    for (const file of chosen) {
      const { question, canvas } = await readPicture(file, described, invert.isOn());
      questions.push({ ...question, ...(canvas && { picture: canvas }), label: file.name });
    }
    return together(questions);
  };
  const invert = inverting(described, send);
  const take = (more: readonly File[]): void => {
    files = [...files, ...more].slice(0, MOST);
    send();
  };
  const clear = (): void => {
    files = [];
    send();
  };
  const element = make(
    'div',
    {},
    chooser('pictures', 'image/*', take, true),
    make('div', { class: 'row' }, make('button', { type: 'button', click: clear }, 'Clear')),
    state,
    invert.element,
  );
  return { element, stop: () => undefined };
}

function together([first, ...beside]: readonly Question[]): Question {
  return { ...first!, beside };
}
