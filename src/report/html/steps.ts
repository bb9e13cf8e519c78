import { fileSize, milliseconds, number, percent, times } from '../format.ts';
import { accuracyOf, commonLatency, settingOf, splitOf, stepsOf, teacherModel } from '../summary.ts';
import type { ModelRow, Report } from '../types.ts';
import { points } from '../verdict.ts';
import { chart, frameOf, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';
import { key, table } from './tables.ts';

/** One step after another, from the student that had no teacher to what ships: what each cost and what it gained. */
export function stepsSection(report: Report): string {
  const steps = stepsOf(report).filter((model) => accuracyOf(model) !== null);
  if (steps.length < 2) return '';
  const teacher = teacherModel(report);
  const rows = steps.map((model, i) => stepRow(report, model, steps[i - 1]));
  const head = ['step', 'accuracy', 'change', 'size', 'latency', 'parameters', 'MACs'];
  const timed = steps.map((model) => commonLatency(model, steps[0]!)?.[0]).find((row) => row !== undefined);
  return (
    `<section id="steps"><h2>Step by step</h2><p>One technique at a time, each measured on the ${splitOf(steps[0]!)} split. ` +
    `${timed === undefined ? '' : `Latency: ${escape(settingOf(timed))}. `}Factors are against the step before.</p>` +
    `${waterfall(steps, teacher)}${table('Step by step', head, rows)}</section>`
  );
}

/** What was done to get to a model. */
function nameOf({ id, stage, precision }: ModelRow): string {
  if (id === 'scratch') return 'alone, no teacher';
  if (stage === 'distill') return 'with the teacher';
  if (stage.startsWith('prune')) return stage.replace('-', ' step ');
  return precision === 'fp32' ? stage : `in ${precision}`;
}

function stepRow({ models }: Report, model: ModelRow, before: ModelRow | undefined): string {
  const accuracy = accuracyOf(model)!;
  const latency = before && commonLatency(model, before);
  const own = latency?.[0] ?? [...model.latency].sort((a, b) => a.batchSize - b.batchSize || a.threads - b.threads)[0];
  const cells = [
    percent(accuracy),
    before === undefined ? '–' : tone(accuracy - accuracyOf(before)!),
    fileSize(model.sizeBytes) + factor(before && before.sizeBytes / model.sizeBytes, 'smaller', 'larger'),
    own === undefined
      ? '–'
      : milliseconds(own.p50Ms) + factor(latency && latency[1].p50Ms / latency[0].p50Ms, 'faster', 'slower'),
    number(model.params),
    model.macs === null ? '–' : number(model.macs),
  ];
  return (
    `<tr><th scope="row">${key(models.indexOf(model))}${escape(nameOf(model))}<small>${escape(model.id)}</small></th>` +
    `${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  );
}

function tone(change: number): string {
  const text = points(change);
  return /^[+-]0\.00/.test(text) ? 'none' : `<span class="${change > 0 ? 'good' : 'bad'}">${text}</span>`;
}

function factor(ratio: number | undefined, more: string, less: string): string {
  if (ratio === undefined || !Number.isFinite(ratio) || ratio === 0) return '';
  if (times(ratio) === '1' || times(1 / ratio) === '1') return '<small>the same</small>';
  return `<small>${ratio > 1 ? `${times(ratio)}× ${more}` : `${times(1 / ratio)}× ${less}`}</small>`;
}

/** Bars that begin where the one before ended; the first and the last are marks at their accuracy. */
function waterfall(steps: readonly ModelRow[], teacher: ModelRow | undefined): string {
  return drawn(steps, teacher, 760, 'wide') + drawn(steps, teacher, 350, 'narrow');
}

const ROW = 38;

function drawn(steps: readonly ModelRow[], teacher: ModelRow | undefined, width: number, className: string): string {
  const isNarrow = width < 500;
  const accuracies = steps.map((model) => accuracyOf(model)!);
  const its = teacher === undefined ? null : accuracyOf(teacher);
  const frame = { ...frameOf(width, steps.length * ROW + 74, isNarrow ? 14 : 150), top: 26 };
  const known = [...accuracies, ...(its === null ? [] : [its])];
  const x = scaleOf(known, [frame.left + 8, frame.right - 58], { bounds: [0, 1], wanted: isNarrow ? 3 : 6 });
  const bars = steps.map((model, i) => {
    const y = frame.top + 8 + i * ROW;
    const [to, from] = [x.place(accuracies[i]!), x.place(accuracies[Math.max(0, i - 1)]!)];
    const change = accuracies[i]! - accuracies[Math.max(0, i - 1)]!;
    const [left, right] = [Math.min(from, to), Math.max(from, to)];
    const kind = i === 0 ? 'start' : change >= 0 ? 'gain' : 'loss';
    const shape =
      i === 0
        ? `<rect class="bar-${kind}" x="${px(frame.left)}" y="${y + 10}" width="${px(to - frame.left)}" height="16" rx="2"/>`
        : `<rect class="bar-${kind}" x="${px(left)}" y="${y + 10}" width="${px(Math.max(2, right - left))}" height="16" rx="2"/>`;
    const drop = i + 1 < steps.length ? `<path class="drop" d="M${px(to)} ${y + 10}V${y + ROW + 26}"/>` : '';
    const label = i === 0 ? percent(accuracies[i]!) : signed(change);
    const name = isNarrow
      ? `<text class="name" x="${frame.left + 4}" y="${y + 4}">${escape(nameOf(model))}</text>`
      : `<text class="name" x="${frame.left - 10}" y="${y + 18}" dy="0.32em" text-anchor="end">${escape(nameOf(model))}</text>`;
    return `${drop}${shape}${name}<text class="name" x="${px(right + 6)}" y="${y + 18}" dy="0.32em">${label}</text>`;
  });
  const line =
    its === null
      ? ''
      : `<path class="teacher" d="M${px(x.place(its))} ${frame.top}V${frame.bottom}"/>` +
        `<text class="name" x="${px(x.place(its))}" y="${frame.top - 8}" text-anchor="middle">teacher ${percent(its)}</text>`;
  const told = steps.map(
    (model, i) =>
      `${nameOf(model)} ${percent(accuracies[i]!)}${i === 0 ? '' : ` (${signed(accuracies[i]! - accuracies[i - 1]!)})`}`,
  );
  const title = `Accuracy step by step: ${told.join('; ')}${its === null ? '' : `; the teacher has ${percent(its)}`}.`;
  const text = (value: number): string => `${Number((100 * value).toFixed(2))} %`;
  const y = { scale: { ticks: [], place: () => 0 }, label: '', text: String };
  return chart(frame, title, { scale: x, label: 'accuracy', text }, y, line + bars.join(''), className);
}

function signed(change: number): string {
  const text = (100 * change).toFixed(2);
  return /^-?0\.00$/.test(text) ? '±0' : `${change > 0 ? '+' : '−'}${text.replace('-', '')}`;
}
