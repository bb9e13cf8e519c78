import { number } from '../../format.ts';
import type { Report } from '../../types.ts';
import { scoreOf } from '../../score.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { table } from '../tables.ts';

/** Section on the loss of score that each layer causes in fewer bits, the worst first. */
export function quantizationSection(report: Report): Content {
  const { quantizationSensitivity: found } = report;
  if (found === undefined || found.rows.length === 0) return '';
  const score = scoreOf(report);
  const { model, precision, samples, score: float } = found;
  const rows = [...found.rows].sort((a, b) => b.noise - a.noise);
  const most = rows[0]!.noise || 1;
  const lines = rows.map(({ layer, noise, drop }) => {
    const bar = markup`<span class="bar" aria-hidden="true"><i style="width:${((100 * noise) / most).toFixed(1)}%"></i></span>`;
    return markup`<tr><th scope="row">${layer}</th><td>${decibels(noise)}${bar}</td><td>${score.change(score.better === 'higher' ? -drop : drop)}</td></tr>`;
  });
  const title = `Sensitivity to ${precision}`;
  return markup`<section id="quantization"><h2>${title}</h2><p>What each layer of ${model} does when it alone is computed in ${precision},
      where the float model is ${score.said(float, `${number(samples)} samples`)}. Noise: power of the error against that of the logits; the loudest first.</p>
      ${table(title, ['layer', 'noise', score.name], lines)}</section>`;
}

function decibels(share: number): string {
  return share === 0 ? 'none' : `${(10 * Math.log10(share)).toFixed(1)} dB`;
}
