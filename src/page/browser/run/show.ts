import { percent } from '../../../base/numbers.ts';
import { capital, number, seconds, short } from '../../../report/format.ts';
import type { Score } from '../../../tasks/score.ts';
import { liveChart } from '../chart.ts';
import type { Chart, Line } from '../chart.ts';
import type { Element } from '../dom.ts';
import { byId, make, say } from '../make.ts';
import { tile } from '../live/words.ts';
import { nameOf } from './state.ts';
import type { Epoch, RunState } from './state.ts';

/** Most lines in a chart: more could not be told apart. A search shows the lines of its latest trials. */
const MOST_LINES = 6;

/** The parts of the page of a run; `update` draws them again. */
export function runView(): { readonly update: (state: RunState) => void } {
  let curves: Curves | undefined;
  const now = nowView();
  return {
    update: (state) => {
      now(state);
      const names = [...state.curves.keys()];
      const shown = names.slice(-MOST_LINES);
      byId('curves').hidden = names.length === 0;
      if (names.length > 0) {
        curves ??= curvesOf(state.score);
        curves.score.update(
          shown.map((name) => line(state, names, name, ({ validation, score }) => validation ?? score ?? NaN)),
        );
        curves.loss.update(shown.map((name) => line(state, names, name, (epoch) => epoch.loss, state.progress?.loss)));
      }
      byId('stages').hidden = state.stages.size === 0;
      byId('stages-body').replaceChildren(stagesTable(state));
      byId('told').hidden = state.messages.length === 0;
      showMessages(state);
    },
  };
}

interface Curves {
  readonly score: Chart;
  readonly loss: Chart;
}

/** The charts, made when the task of the run is known. */
function curvesOf({ name, unit, text }: Score): Curves {
  const epochText = (x: number): string => `epoch ${Number(x.toFixed(1))}`;
  const common = { xText: epochText, empty: 'no epoch yet', fromZero: false, ownEnds: true };
  const yText = unit === 'fraction' ? (value: number) => percent(value, 1) : text;
  const score = liveChart({ ...common, title: `${capital(name)} on the validation split`, yText });
  const loss = liveChart({ ...common, title: 'Training loss', yText: (value) => String(Number(value.toPrecision(3))) });
  byId('curves-body').replaceChildren(make('div', { class: 'charts' }, score.element, loss.element));
  return { score, loss };
}

function line(
  state: RunState,
  names: readonly string[],
  name: string,
  value: (epoch: Epoch) => number,
  now?: number,
): Line {
  const epochs = [...state.curves.get(name)!.values()].sort((a, b) => a.epoch - b.epoch);
  const points = epochs.map((epoch) => [epoch.epoch, value(epoch)] as const);
  const { progress } = state;
  const isHere =
    progress !== undefined &&
    nameOf(progress) === name &&
    now !== undefined &&
    (progress.epoch ?? 0) > (epochs.at(-1)?.epoch ?? 0);
  return { name, kind: names.indexOf(name), points: isHere ? [...points, [progress.epoch!, now] as const] : points };
}

/** View of the current stage: its name, its progress, and the time left. */
function nowView(): (state: RunState) => void {
  const what = make('p', { class: 'said', role: 'status' });
  const fill = make('i');
  const bar = make(
    'div',
    { class: 'progress', role: 'progressbar', 'aria-label': 'This stage', 'aria-valuemin': 0, 'aria-valuemax': 100 },
    fill,
  );
  const about = make('p', { class: 'soft' });
  const row = make('div', { class: 'tiles' });
  byId('now').replaceChildren(make('section', {}, make('h2', {}, 'Now'), what, bar, about), row);
  return ({ progress, current, stages, end, score }) => {
    const title = current === undefined ? undefined : (stages.get(current)?.title ?? current);
    say(
      what,
      end === undefined
        ? (title ?? 'between two stages')
        : end.status === 'finished'
          ? 'Finished'
          : `Stopped: ${end.message ?? ''}`,
    );
    bar.hidden = progress === undefined || end !== undefined;
    row.hidden = progress?.loss === undefined || end !== undefined;
    if (progress === undefined || end !== undefined) {
      say(about, '');
      return;
    }
    const share = progress.total === 0 ? 1 : progress.done / progress.total;
    bar.setAttribute('aria-valuenow', String(Math.floor(100 * share)));
    fill.style.setProperty('width', `${(100 * share).toFixed(1)}%`);
    const done = progress.what === undefined ? '' : `${progress.what} `;
    say(
      about,
      `${Math.floor(100 * share)} %, ${seconds(Math.max(0, progress.secondsLeft))} left; ${done}${number(progress.done)} of ${number(progress.total)}`,
    );
    row.replaceChildren(
      ...(progress.epoch === undefined
        ? []
        : [tile(`${progress.epoch.toFixed(1)} of ${progress.epochs ?? '?'}`, 'epochs')]),
      ...(progress.loss === undefined ? [] : [tile(progress.loss.toFixed(4), 'training loss of this epoch')]),
      ...(progress.score === undefined
        ? []
        : [tile(score.text(progress.score), `${score.name} in training, this epoch`)]),
      ...(progress.samplesPerSecond === undefined ? [] : [tile(short(progress.samplesPerSecond), 'samples a second')]),
    );
  };
}

function stagesTable({ stages, current, end, score }: RunState): Element {
  // A stage of a moment is shown when it has ended, if at all.
  const shown = [...stages.values()].filter(
    ({ name, title, seconds: took }) => took !== undefined || title !== undefined || name === current,
  );
  const rows = shown.map(({ name, title, seconds: took, figures }) => {
    const isNow = name === current && end === undefined;
    const { validation, test } = figures.score ?? {};
    const share = (value: number | undefined): string => (value === undefined ? '–' : score.text(value));
    const about = title === undefined || title === name ? undefined : make('small', {}, title);
    return make(
      'tr',
      isNow ? { class: 'chosen', 'aria-current': 'step' } : {},
      make('th', { scope: 'row' }, name, about),
      make('td', {}, took === undefined ? (isNow ? 'now' : '–') : seconds(took)),
      make('td', {}, share(validation)),
      make('td', {}, share(test)),
    );
  });
  const head = ['stage', 'time', 'validation', 'test'].map((name, i) =>
    make('th', { scope: 'col', class: i === 0 ? 'text' : undefined }, name),
  );
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
  return make('div', { class: 'scroll wrap', tabindex: 0, role: 'region', 'aria-label': 'Stages' }, table);
}

let messages = 0;

/** The latest first; messages on the page keep their elements, so that a reader is not interrupted. */
function showMessages(state: RunState): void {
  if (messages === state.messages.length) return;
  messages = state.messages.length;
  const latest = state.messages.slice(-200).reverse();
  byId('messages').replaceChildren(...latest.map(({ level, text }) => make('li', { class: level }, text)));
}
