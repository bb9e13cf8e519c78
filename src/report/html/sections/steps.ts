import type { BarSeriesOption } from 'echarts';
import { labelOf } from '../../artifact.ts';
import { compared, fileSize, milliseconds, number } from '../../format.ts';
import { taughtBy } from '../../taught-by.ts';
import type { TaughtBy } from '../../taught-by.ts';
import { changeOf, commonLatency, settingOf, scoredSplit, stepsOf, teacherModel } from '../../summary.ts';
import type { ModelRow, Report } from '../../types.ts';
import type { Score } from '../../../tasks/score.ts';
import { capital } from '../../format.ts';
import { rowScore, axisText, scoreOf } from '../../score.ts';
import { gridOf, limitLine, NAME, rowsAxis, valueAxis } from '../charts/axes.ts';
import { chart, forScreens } from '../charts/chart.ts';
import { markup } from '../markup.ts';
import type { Content, Markup } from '../markup.ts';
import { key } from '../charts/kinds.ts';
import { speedNote, textCells, wholeTable } from '../tables.ts';

/** One step after another, from the student that had no teacher to what ships: what each cost and what it gained. */
export function stepsSection(report: Report): Content {
  const steps = stepsOf(report).filter((model) => rowScore(model) !== null);
  if (steps.length < 2) return '';
  const teacher = teacherModel(report);
  const rows = steps.map((model, i) => stepRow(report, model, steps[i - 1]));
  const score = scoreOf(report);
  const head = ['step', score.name, 'change', 'size', 'latency', 'parameters', 'MACs'];
  const timed = steps.map((model) => commonLatency(model, steps[0]!)?.[0]).find((row) => row !== undefined);
  return markup`<section id="steps"><h2>Step by step</h2><p>One technique at a time, each measured on the ${scoredSplit(steps[0]!)} split.
      ${timed === undefined ? '' : `Latency: ${settingOf(timed)}. `}Factors are against the step before.
      ${means(steps)}</p>
      ${waterfall(steps, teacher, { score, by: taughtBy(report) })}${wholeTable('Step by step', head, rows)}</section>`;
}

/** Sentence for steps of which some are means over seeds and others are made from the first of them. */
function means(steps: readonly ModelRow[]): string {
  if (steps.every(({ repeats }) => repeats === undefined)) return '';
  const isMixed = steps.some(({ repeats }) => repeats === undefined);
  return ` Students that were trained with several seeds show their mean and its 95 % interval${
    isMixed ? '; what follows was made from the first of them, and its change is against that one' : ''
  }.`;
}

function stepRow(report: Report, model: ModelRow, before: ModelRow | undefined): Content {
  const { models } = report;
  const score = scoreOf(report);
  const value = rowScore(model)!;
  const latency = before && commonLatency(model, before);
  const own = latency?.[0] ?? [...model.latency].sort((a, b) => a.batchSize - b.batchSize || a.threads - b.threads)[0];
  const cells = [
    markup`${score.text(value)}${intervalOf(model, score)}`,
    before === undefined ? '–' : tone(score, changeOf(model, before)),
    markup`${fileSize(model.sizeBytes)}${factor(before && before.sizeBytes / model.sizeBytes, 'smaller', 'larger')}`,
    own === undefined ? '–' : markup`${milliseconds(own.p50Ms)}${latency === undefined ? '' : speedNote(latency)}`,
    number(model.params),
    model.macs === null ? '–' : number(model.macs),
  ];
  return markup`<tr><th scope="row">${key(models.indexOf(model))}${labelOf(model, taughtBy(report))}<small>${model.id}</small></th>
      ${textCells(cells)}</tr>`;
}

function intervalOf({ repeats }: ModelRow, score: Score): Content {
  if (repeats === undefined) return '';
  return markup`<small>${repeats.interval.map(score.text).join(' to ')}, mean of ${repeats.scores.length}</small>`;
}

function tone(score: Score, change: number): Content {
  const text = score.change(change);
  const isGood = change > 0 === (score.better === 'higher');
  return isNone(text) ? 'none' : markup`<span class="${isGood ? 'good' : 'bad'}">${text}</span>`;
}

function factor(ratio: number | undefined, more: string, less: string): Content {
  if (ratio === undefined || !Number.isFinite(ratio) || ratio === 0) return '';
  return markup`<small>${compared(ratio, more, less) ?? 'the same'}</small>`;
}

/**
 * Bars that begin where the one before ended, the first where the axis begins. A bar behind a mean over seeds begins where the first
 * of them was, from which its model was made.
 */
function waterfall(
  steps: readonly ModelRow[],
  teacher: ModelRow | undefined,
  { score, by }: { readonly score: Score; readonly by: TaughtBy },
): Markup {
  const labels = steps.map((model) => labelOf(model, by));
  const scores = steps.map((model) => rowScore(model)!);
  const changes = steps.map((model, i) => (i === 0 ? scores[0]! : changeOf(model, steps[i - 1]!)));
  const its = teacher === undefined ? null : rowScore(teacher);
  const told = steps.map(
    (_model, i) => `${labels[i]!} ${score.text(scores[i]!)}${i === 0 ? '' : ` (${signed(score, changes[i]!)})`}`,
  );
  const teacherLine = its === null ? [] : [limitLine(its, 0, `teacher ${score.text(its)}`, 'start')];
  return forScreens(({ width, ticks, className }) =>
    chart({
      width,
      height: steps.length * ROW + 74,
      className,
      title: `${capital(score.name)} step by step: ${told.join('; ')}${its === null ? '' : `; the teacher has ${score.text(its)}`}.`,
      option: () => ({
        grid: gridOf({ left: className === 'narrow' ? 22 : roomFor(labels, width), right: 58, top: 26 }),
        xAxis: valueAxis({ name: score.name, text: axisText(score), ticks, bounds: score.bounds }),
        yAxis: { ...rowsAxis(labels), axisLabel: className === 'narrow' ? ABOVE : BESIDE },
        series: [...teacherLine, ...bars(scores, changes, score)],
      }),
    }),
  );
}

/** Room for the longest name beside the bars; a bold letter of their size is 8.2 pixels wide on average. */
function roomFor(labels: readonly string[], width: number): number {
  const longest = Math.max(...labels.map(({ length }) => length));
  return Math.min(width / 2, Math.max(150, Math.ceil(8.2 * longest) + BESIDE.margin + 4));
}

const ROW = 38;
const BESIDE = { ...NAME, margin: 10 };
/** Names of steps on their bars, where there is no room beside them. */
const ABOVE = { ...NAME, inside: true, margin: 4, verticalAlign: 'bottom' as const, padding: [0, 0, 11, 0] };

/** Parts that ECharts stacks: up to the lower of two accuracies nothing is seen, from there to the other the change. */
function bars(scores: readonly number[], changes: readonly number[], score: Score): BarSeriesOption[] {
  const shared = { type: 'bar', stack: 'steps', silent: true, barWidth: 16 } as const;
  const colour = (change: number, i: number): string =>
    i === 0 ? 'var(--s0)' : change === 0 || change > 0 === (score.better === 'higher') ? 'var(--good)' : 'var(--bad)';
  return [
    {
      ...shared,
      itemStyle: { color: 'none' },
      data: scores.map((own, i) => (i === 0 ? '-' : Math.min(own, own - changes[i]!))),
    },
    {
      ...shared,
      barMinHeight: 2,
      label: {
        show: true,
        position: 'right',
        ...NAME,
        formatter: ({ dataIndex: i }) => (i === 0 ? score.text(scores[0]!) : signed(score, changes[i]!)),
      },
      data: changes.map((change, i) => ({ value: Math.abs(change), itemStyle: { color: colour(change, i) } })),
      // From the end of a bar to the beginning of the next.
      markLine: {
        symbol: 'none',
        silent: true,
        label: { show: false },
        lineStyle: { color: 'var(--soft)', width: 1, type: [2, 2] },
        data: scores
          .slice(0, -1)
          .map((own, i) => [{ coord: [own, i] }, { coord: [scores[i + 1]! - changes[i + 1]!, i + 1] }]),
      },
    },
  ];
}

function isNone(text: string): boolean {
  return /^[+-]0(\.00)?( |$)/.test(text);
}

/** Change of a score without its unit, which the axis has. */
function signed(score: Score, change: number): string {
  const text = score.change(change);
  return isNone(text) ? '±0' : text.replace('-', '−').replace(/ points$/, '');
}
