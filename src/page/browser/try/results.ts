import { percent } from '../../../base/numbers.ts';
import { milliseconds } from '../../../report/format.ts';
import type { Card } from '../card.ts';
import type { Element } from '../dom.ts';
import type { Outcome, Prediction } from '../forms.ts';
import { colourOf, lineKey, make, say } from '../make.ts';
import type { Member } from './group.ts';
import { alikeTable, mostAlike } from './alike.ts';
import { boxedPicture } from './boxed.ts';
import { marked } from './marked.ts';
import { maskedPicture } from './masked.ts';

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
        say(time, outcome.kind === 'error' ? '' : milliseconds(outcome.ms));
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
  if (outcome.kind === 'error') return [make('p', { class: 'caution' }, outcome.message)];
  if (outcome.kind === 'text') return [make('pre', { tabindex: 0 }, outcome.text)];
  if (outcome.kind === 'tags') return marked(outcome.tagged);
  if (outcome.kind === 'boxes') return boxedPicture(outcome.boxed, outcome.picture);
  if (outcome.kind === 'alike') return [alikeTable(outcome.alike)];
  if (outcome.kind === 'mask') return maskedPicture(outcome.masked, outcome.picture);
  const { prediction } = outcome;
  const all = prediction.top ?? [prediction];
  const largest = Math.max(...all.map((one) => one.score ?? 0), 1e-9);
  const rows = all.slice(0, 5).map((one) => {
    const share = one.probability ?? Math.max(0, one.score ?? 0) / largest;
    const fill = make('i');
    fill.style.setProperty('width', `${Math.max(0.4, 100 * share).toFixed(1)}%`);
    fill.style.setProperty('background', colourOf(kind));
    return make(
      'li',
      {},
      make('span', { class: 'label' }, nameOf(one)),
      make('span', { class: 'value' }, valueOf(one)),
      make('span', { class: 'bar', 'aria-hidden': true }, fill),
    );
  });
  return [make('ol', {}, ...rows)];
}

function valueOf({ probability, score }: Prediction): string {
  return probability === undefined ? String(Number((score ?? 0).toPrecision(4))) : percent(probability, 1);
}

function nameOf({ label, index }: Prediction): string {
  return label ?? `class ${index}`;
}

/** Sentence for a single sample of models that compare several. */
const COMPARE = 'Add a second sample to compare it with.';

/** Sentence with the answer of each model, and on whether a student agrees with its teacher. */
function verdictOf(cards: readonly Card[], outcomes: readonly Outcome[]): string {
  const said = outcomes.flatMap((outcome, i) =>
    outcome.kind === 'classes'
      ? [{ name: cards[i]!.name, what: nameOf(outcome.prediction), prediction: outcome.prediction }]
      : [],
  );
  const [alike] = outcomes.flatMap((outcome) =>
    outcome.kind === 'alike' ? [mostAlike(outcome.alike) ?? COMPARE] : [],
  );
  if (alike !== undefined) return alike;
  if (said.length === 0) return outcomes.some(({ kind }) => kind === 'error') ? 'There is no answer.' : 'Answered.';
  const [first, ...others] = said;
  if (others.length === 0) return `${first!.what}${sureness(first!.prediction)}.`;
  const same = others.every(({ what }) => what === first!.what);
  if (same) return `${said.length === 2 ? 'Both' : `All ${said.length}`} say ${first!.what}.`;
  return `They differ: ${said.map(({ name, what }) => `${name} says ${what}`).join(', ')}.`;
}

function sureness({ probability }: Prediction): string {
  return probability === undefined ? '' : `, ${percent(probability, 1)}`;
}
