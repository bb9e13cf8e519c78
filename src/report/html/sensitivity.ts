import { percent } from '../../base/numbers.ts';
import { number } from '../format.ts';
import type { Report } from '../types.ts';
import { points } from '../verdict.ts';
import { escape } from './escape.ts';
import { table } from './tables.ts';

/** Which layers do not bear fewer bits: the worst first. */
export function quantizationSection({ quantizationSensitivity: found }: Report): string {
  if (found === undefined || found.rows.length === 0) return '';
  const { model, precision, samples, accuracy } = found;
  const rows = [...found.rows].sort((a, b) => b.noise - a.noise);
  const most = rows[0]!.noise || 1;
  const lines = rows.map(({ layer, noise, drop }) => {
    const bar = `<span class="bar" aria-hidden="true"><i style="width:${((100 * noise) / most).toFixed(1)}%"></i></span>`;
    return `<tr><th scope="row">${escape(layer)}</th><td>${decibels(noise)}${bar}</td><td>${points(-drop)}</td></tr>`;
  });
  const title = `Sensitivity to ${precision}`;
  return (
    `<section id="quantization"><h2>${escape(title)}</h2><p>What each layer of ${escape(model)} does when it alone is computed in ${escape(precision)}, ` +
    `on ${number(samples)} samples of which the float model has ${percent(accuracy)} right. Noise: power of the error against that of the logits; the loudest first.</p>` +
    `${table(title, ['layer', 'noise', 'accuracy'], lines)}</section>`
  );
}

function decibels(share: number): string {
  return share === 0 ? 'none' : `${(10 * Math.log10(share)).toFixed(1)} dB`;
}
