import { number, percent } from '../format.ts';
import { finalModel, teacherModel } from '../summary.ts';
import type { Calibration, ModelRow, Report } from '../types.ts';
import { chart, frameOf, px } from './chart.ts';
import { escape } from './escape.ts';
import { key, table } from './tables.ts';

/** Whether the models are as often right as they are sure: a table of all, diagrams of those that matter. */
export function calibrationSection(report: Report): string {
  const rated = report.models.filter(({ calibration }) => calibration !== undefined);
  if (rated.length === 0) return '';
  const rows = rated.map((model) => {
    const { ece, confidence, bins } = model.calibration!;
    const right = bins.reduce((sum, { samples, accuracy }) => sum + samples * (accuracy ?? 0), 0);
    const all = bins.reduce((sum, { samples }) => sum + samples, 0);
    const gap = confidence - right / all;
    const cells = [percent(ece), percent(confidence), percent(right / all), leaning(gap)];
    return (
      `<tr><th scope="row">${key(report.models.indexOf(model))}${escape(model.id)}</th>` +
      `${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
    );
  });
  const named = [teacherModel(report), report.models.find(({ id }) => id === 'scratch'), finalModel(report)];
  const shown = named.filter((model, i) => model?.calibration !== undefined && named.indexOf(model) === i);
  const { split, bins } = rated[0]!.calibration!;
  return (
    `<section id="calibration"><h2>Calibration</h2><p>Is a model as often right as it is sure? On the ${split} split, in ${bins.length} bins of confidence; ` +
    'ECE is the expected calibration error, the mean gap between the two. Bars below the diagonal: surer than right. ' +
    `The strip under a diagram shows how many samples each bin holds.</p>` +
    table('Calibration', ['model', 'ECE', 'mean confidence', 'accuracy', 'leaning'], rows) +
    `<div class="thirds">${shown.map((model) => diagram(report, model!)).join('')}</div></section>`
  );
}

/** Below half a point nothing leans. */
function leaning(gap: number): string {
  if (Math.abs(gap) < 0.005) return 'neither';
  return gap > 0 ? 'too sure' : 'not sure enough';
}

function diagram(report: Report, model: ModelRow): string {
  const { bins, ece } = model.calibration!;
  const frame = { ...frameOf(300, 290, 56), right: 278, bottom: 214 };
  const scale = (from: number, to: number) => ({
    ticks: [0, 0.25, 0.5, 0.75, 1],
    place: (value: number) => from + value * (to - from),
  });
  const [x, y] = [scale(frame.left, frame.right), scale(frame.bottom, frame.top)];
  const percentText = (value: number): string => `${100 * value} %`;
  const kind = report.models.indexOf(model);
  const content = [
    `<g class="fill s${kind % 6}">${bars(model.calibration!, x.place, y.place)}</g>`,
    `<path class="diagonal" d="M${frame.left} ${frame.bottom}L${frame.right} ${frame.top}"/>`,
    `<g class="counts">${counts(model.calibration!, x.place, 258)}</g>`,
  ].join('');
  const told = bins.flatMap(({ samples, confidence, accuracy }) =>
    samples === 0 ? [] : [`sure by ${percent(confidence!)}, right on ${percent(accuracy!)} of ${number(samples)}`],
  );
  const title = `Reliability of ${model.id}, expected calibration error ${percent(ece)}: ${told.join('; ')}.`;
  const axes = [
    { scale: x, label: 'confidence', text: percentText },
    { scale: y, label: 'accuracy', text: percentText },
  ] as const;
  return (
    `<figure><figcaption>${key(kind)}${escape(model.id)} <small>ECE ${percent(ece)}</small></figcaption>` +
    `${chart(frame, title, ...axes, content, 'small')}</figure>`
  );
}

function bars({ bins }: Calibration, x: (value: number) => number, y: (value: number) => number): string {
  const width = (x(1) - x(0)) / bins.length;
  return bins
    .map(({ accuracy }, i) =>
      accuracy === null
        ? ''
        : `<rect x="${px(x(i / bins.length) + 0.5)}" y="${px(y(accuracy))}" width="${px(width - 1)}" height="${px(Math.max(1, y(0) - y(accuracy)))}"/>`,
    )
    .join('');
}

/** A strip of bars as high as the square root of the counts: the last bin would hide all others. */
function counts({ bins }: Calibration, x: (value: number) => number, base: number): string {
  const most = Math.max(...bins.map(({ samples }) => samples));
  const width = (x(1) - x(0)) / bins.length;
  return bins
    .map(({ samples }, i) => {
      const height = 20 * Math.sqrt(samples / most);
      return samples === 0
        ? ''
        : `<rect x="${px(x(i / bins.length) + 0.5)}" y="${px(base - height)}" width="${px(width - 1)}" height="${px(height)}"/>`;
    })
    .join('');
}
