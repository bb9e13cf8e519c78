import { post } from '../ask.ts';
import type { Card } from '../card.ts';
import type { Element } from '../dom.ts';
import { shownForm, shownText } from '../forms.ts';
import type { Outcome } from '../forms.ts';
import { byId, choice, make } from '../make.ts';
import { camera, hasCamera } from './camera.ts';
import { drawing } from './draw.ts';
import type { OnQuestion, Source } from './draw.ts';
import { preparedQuestion } from './frame.ts';
import type { Question } from './frame.ts';
import { groupsOf, isCompared } from './group.ts';
import type { Group, Member } from './group.ts';
import { pictureFile } from './picture.ts';
import { row } from './row.ts';
import { pictures, sentences } from './several.ts';
import { hasMicrophone, microphone, soundFile } from './sound.ts';
import { texts } from './texts.ts';
import { resultsOf } from './results.ts';
import { tensors } from './tensors.ts';
import { values } from './values.ts';

/** Panel to try models: the input on one side, the answer of each model on the other. */
export function showTry(cards: readonly Card[]): void {
  const groups = groupsOf(cards);
  const stage = make('div');
  const open = (place: number): void => stage.replaceChildren(tryGroup(groups[place]!, cards));
  const picker = groups.length < 2 ? [] : [choice('Models that take', groups.map(nameOf), 0, open)];
  byId('try-body').replaceChildren(...picker, stage);
  open(0);
}

function nameOf({ title, members }: Group): string {
  return `${title}: ${members.map(({ card }) => card.name).join(', ')}`;
}

interface Way {
  readonly name: string;
  readonly hint: string;
  readonly open: (onQuestion: OnQuestion) => Source;
}

function waysOf({ kind, described, members }: Group): Way[] {
  const compares = isCompared(described);
  if (kind === 'text' && compares && described!.text!.texts === 1)
    return [{ name: 'Texts', hint: 'Type two texts or more.', open: (take) => sentences(take) }];
  if (kind === 'text') return [{ name: 'Text', hint: 'Type a text.', open: (take) => texts(described!, take) }];
  if (kind === 'row') return [{ name: 'Row', hint: 'Change a value.', open: (take) => row(described!, take) }];
  if (kind === 'sound') {
    return [
      { name: 'Sound', hint: 'Choose a sound.', open: (take) => soundFile(take) },
      ...(hasMicrophone()
        ? [{ name: 'Microphone', hint: 'Record a sound.', open: (take: OnQuestion) => microphone(described!, take) }]
        : []),
    ];
  }
  if (kind === 'values') {
    return [{ name: 'Numbers', hint: 'Change a number.', open: (take) => values(described!, take) }];
  }
  if (kind === 'tensors') {
    return [{ name: 'Tensors', hint: 'Fill in and ask.', open: (take) => tensors(members[0]!.card, take) }];
  }
  const isGrey = described!.shape[2] === 1;
  return [
    ...(isGrey
      ? [
          {
            name: 'Draw',
            hint: 'Draw something, large and in the middle.',
            open: (take: OnQuestion) => drawing(described!, take),
          },
        ]
      : []),
    compares
      ? {
          name: 'Pictures',
          hint: 'Choose two pictures or more.',
          open: (take: OnQuestion) => pictures(described!, take),
        }
      : { name: 'Picture', hint: 'Choose a picture.', open: (take: OnQuestion) => pictureFile(described!, take) },
    ...(hasCamera()
      ? [{ name: 'Camera', hint: 'Start the camera.', open: (take: OnQuestion) => camera(described!, take) }]
      : []),
  ];
}

let running: Source | undefined;

function tryGroup(group: Group, all: readonly Card[]): Element {
  const ways = waysOf(group);
  const kinds = group.members.map(({ card }) => all.indexOf(card));
  const [input, output] = [make('div', { class: 'input' }), make('div', { class: 'output' })];
  const open = (place: number): void => {
    running?.stop();
    const results = resultsOf(group.members, kinds, ways[place]!.hint);
    const onQuestion = latestOnly(
      async (question) =>
        results.show(await Promise.all(group.members.map((member) => askModel(member, group, question)))),
      results.clear,
      (message) => results.show(group.members.map(() => ({ error: message }))),
    );
    output.replaceChildren(results.element);
    running = ways[place]!.open(onQuestion);
    input.replaceChildren(running.element);
  };
  const picker =
    ways.length < 2
      ? []
      : [
          choice(
            'How',
            ways.map(({ name }) => name),
            0,
            open,
          ),
        ];
  const element = make('div', { class: 'try' }, make('div', {}, ...picker, input), output);
  open(0);
  return element;
}

/** Asks one question at a time: of the questions that come meanwhile, the last is asked next. */
function latestOnly(
  answer: (question: Question) => Promise<void>,
  clear: () => void,
  fail: (message: string) => void,
): OnQuestion {
  let next: Promise<Question> | undefined;
  let isBusy = false;
  // Answers to an input that was cleared since are not shown.
  let round = 0;
  return (question) => {
    next = question;
    if (question === undefined) {
      round++;
      clear();
    }
    if (isBusy) return;
    isBusy = true;
    void (async () => {
      while (next !== undefined) {
        const [asked, of] = [next, round];
        next = undefined;
        try {
          await answer(await asked);
        } catch (error) {
          fail((error as Error).message);
        }
        if (of !== round && next === undefined) clear();
      }
      isBusy = false;
    })();
  };
}

async function askModel({ card, as }: Member, { kind }: Group, question: Question): Promise<Outcome> {
  const { name, described } = card;
  try {
    if (question.beside !== undefined)
      return await compared({ card, ...(as && { as }) }, [question, ...question.beside]);
    const { body, type } = as === undefined ? question : borrowed(question, as);
    const start = performance.now();
    if (kind === 'tensors') {
      const answer = await post<{ outputs: Output[] }>(`v2/models/${encodeURIComponent(name)}/infer`, body, type);
      return { ...shownText(answer.outputs.map(outputText).join('\n\n')), ms: performance.now() - start };
    }
    const { hasTop, names, shown } = shownForm(described!);
    const top = hasTop ? `?top=${Math.min(5, names?.length ?? 5)}` : '';
    const answer = await post<{ predictions: [never] }>(`v1/${encodeURIComponent(name)}${top}`, body, type);
    // Classes without a name get the names of the model whose preparation was borrowed.
    const outcome = shown(answer.predictions[0], as?.described?.labels, question.picture, described);
    return { ...outcome, ms: performance.now() - start };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** Outcome of several samples of a model whose answers are compared. */
async function compared({ card, as }: Member, questions: readonly Question[]): Promise<Outcome> {
  const predicted: never[] = [];
  const start = performance.now();
  for (const question of questions) {
    const { body, type } = as === undefined ? question : borrowed(question, as);
    const path = `v1/${encodeURIComponent(card.name)}`;
    const { predictions } = await post<{ predictions: [never] }>(path, body, type);
    predicted.push(predictions[0]);
  }
  const samples = questions.map(({ label = '', picture }) => ({ label, ...(picture && { picture }) }));
  return { ...shownForm(card.described!).compared!(predicted, samples), ms: performance.now() - start };
}

function borrowed({ picture }: Question, { described }: Card): Question {
  if (picture === undefined) throw new Error('this browser cannot read the picture, and the server not prepare it');
  return preparedQuestion(picture, described!);
}

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
}

const SHOWN = 24;

function outputText({ name, datatype, shape, data }: Output): string {
  const shown = data.slice(0, SHOWN).map((value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value));
  const more = data.length > SHOWN ? `, … ${data.length - SHOWN} more` : '';
  return `${name} ${datatype} [${shape.join(' × ')}]\n${shown.join(', ')}${more}`;
}
