import { milliseconds } from '../../../report/format.ts';
import type { Card } from '../card.ts';
import type { Element } from '../dom.ts';
import type { Outcome } from '../forms.ts';
import { lineKey, make, say } from '../make.ts';
import type { Member } from './group.ts';

export interface Results {
  readonly element: Element;
  readonly show: (outcomes: readonly Outcome[]) => void;
  readonly clear: () => void;
}

/** The answers of models side by side. `kinds`: their colours. */
export function resultsOf(members: readonly Member[], kinds: readonly number[], hint: string): Results {
  const cards = members.map(({ card }) => card);
  const verdict = make('p', { class: 'said', role: 'status' }, hint);
  const panels = cards.map(({ name, report }, i) => {
    const time = make('span', { class: 'when' });
    const body = make('div', { class: 'bars' });
    const role = report?.role === 'teacher' ? 'teacher' : report === undefined ? '' : 'student';
    const lender = members[i]!.as;
    const note =
      lender &&
      make('p', { class: 'soft' }, `Its file does not say how pictures are prepared: here as for ${lender.name}.`);
    const head = make(
      'h3',
      {},
      lineKey(kinds[i]!),
      make('span', {}, name),
      make('small', { class: 'badge', hidden: role === '' }, role),
      time,
    );
    return { element: make('div', { class: 'panel-answer' }, head, body, note), time, body };
  });
  return {
    element: make(
      'div',
      { class: 'answers' },
      verdict,
      make('div', { class: 'side' }, ...panels.map(({ element }) => element)),
    ),
    show: (outcomes) => {
      outcomes.forEach((outcome, i) => {
        const { time, body } = panels[i]!;
        say(time, 'error' in outcome ? '' : milliseconds(outcome.ms));
        body.replaceChildren(...bodyOf(outcome, kinds[i]!));
      });
      say(verdict, verdictOf(cards, outcomes));
    },
    clear: () => {
      for (const { time, body } of panels) {
        say(time, '');
        body.replaceChildren();
      }
      say(verdict, hint);
    },
  };
}

function bodyOf(outcome: Outcome, kind: number): Element[] {
  return 'error' in outcome ? [make('p', { class: 'caution' }, outcome.error)] : outcome.elements(kind);
}

/** Sentence with the answer of each model, and on whether a student agrees with its teacher. */
function verdictOf(cards: readonly Card[], outcomes: readonly Outcome[]): string {
  const answers = outcomes.map((outcome) => ('error' in outcome ? undefined : outcome));
  const sentence = answers.find((answer) => answer?.sentence !== undefined)?.sentence;
  if (sentence !== undefined) return sentence;
  const said = answers.flatMap((answer, i) => (answer?.says ? [{ name: cards[i]!.name, ...answer.says }] : []));
  if (said.length === 0) return answers.includes(undefined) ? 'There is no answer.' : 'Answered.';
  const [first, ...others] = said;
  if (others.length === 0) return `${first!.what}${first!.sureness}.`;
  const same = others.every(({ what }) => what === first!.what);
  if (same) return `${said.length === 2 ? 'Both' : `All ${said.length}`} say ${first!.what}.`;
  return `They differ: ${said.map(({ name, what }) => `${name} says ${what}`).join(', ')}.`;
}
