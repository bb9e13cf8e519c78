import type { Score } from '../../../tasks/score.ts';
import { capital } from '../../format.ts';
import { scoreOf } from '../../score.ts';
import { paretoFront } from '../../summary.ts';
import type { Report } from '../../types.ts';
import { costsOf, placesOf } from '../charts/costs.ts';
import type { Cost, Point } from '../charts/costs.ts';
import { Markup, markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { letterOf, scatter } from '../charts/scatter.ts';
import { key } from '../charts/kinds.ts';

/** Accuracy over each kind of cost in each runtime, chosen by radio buttons: no script is needed. */
export function tradeSection(report: Report): Content {
  const costs = costsOf(report);
  const score = scoreOf(report);
  if (costs.length === 0) return '';
  const places = placesOf(report);
  // Where all was timed in one place there is nothing to choose.
  const choices = places.length > 1 ? [undefined, ...places] : [places[0]];
  const panels: Markup[] = [];
  const rules: string[] = [];
  costs.forEach((cost, c) => {
    const runtimes = cost.isLatency ? choices : [undefined];
    runtimes.forEach((place, r) => {
      const id = `panel${c}-${r}`;
      const runtime = cost.isLatency && choices.length > 1 ? `:has(#runtime${r}:checked)` : '';
      rules.push(`#trade:has(#cost${c}:checked)${runtime} #${id}{display:block}`);
      panels.push(markup`<div class="panel" id="${id}">${panel(report, cost, place, places)}</div>`);
    });
    if (!cost.isLatency) rules.push(`#trade:has(#cost${c}:checked) #runtimes{display:none}`);
  });
  const runtimes = choices.length > 1 ? choice('runtime', 'Runtime', ['all', ...places], 'runtimes') : '';
  const names = costs.map(({ name }) => name);
  return markup`<section id="trade"><h2>${capital(score.name)} against cost</h2><p>${score.better === 'higher' ? 'Up' : 'Down'} and to the left is better. The dotted line is the Pareto front:
      nothing else is both ${score.isShareRight ? 'more accurate' : 'better'} and cheaper than what lies on it. Hollow marks are beaten in both.</p>
      <style>${new Markup(rules.join(''))}</style>${choice('cost', 'Cost', names)}${runtimes}${panels}</section>`;
}

function choice(name: string, legend: string, labels: readonly string[], id?: string): Content {
  const inputs = labels.map(
    (label, i) =>
      markup`<span class="choice"><input type="radio" name="${name}" id="${name}${i}"${i === 0 ? ' checked' : ''}>
      <label for="${name}${i}">${label}</label></span>`,
  );
  return markup`<fieldset${id === undefined ? '' : markup` id="${id}"`}><legend>${legend}</legend>${inputs}</fieldset>`;
}

function panel(report: Report, cost: Cost, place: string | undefined, places: readonly string[]): Content {
  const points = cost.points(place);
  if (points.length === 0) return markup`<p>Nothing was timed so.</p>`;
  const isMixed = cost.isLatency && place === undefined && places.length > 1;
  const legend = modelLegend(report, (id) => points.some((point) => point.id === id));
  const letters = isMixed
    ? markup`<ul class="legend">${places.map((name, i) => markup`<li><b>${letterOf(i)}</b> ${name}</li>`)}</ul>`
    : '';
  const score = scoreOf(report);
  const front = paretoFront(points, score).map((point) => described(point, cost, isMixed, score));
  return markup`${scatter(points, cost, isMixed ? places : [], score)}${isMixed ? [legend, letters] : ''}
      <p class="front-list"><b>Pareto front:</b> ${front.join('; ')}.</p>`;
}

function described({ id, place, cost: at, score: own }: Point, cost: Cost, isMixed: boolean, score: Score): string {
  return `${id}${isMixed && place !== undefined ? ` in ${place}` : ''} (${score.text(own)}, ${cost.text(at)})`;
}

/** The marks of those models that `isShown`, with their names. */
function modelLegend({ models }: Report, isShown: (id: string) => boolean): Content {
  const items = models.flatMap(({ id }, kind) => (isShown(id) ? [markup`<li>${key(kind)}${id}</li>`] : []));
  return markup`<ul class="legend">${items}</ul>`;
}
