import type { EChartsOption } from 'echarts';
import { percent } from '../../../base/numbers.ts';
import { number, shortPercent } from '../../format.ts';
import { finalModel, teacherModel } from '../../summary.ts';
import type { ModelRow, Report } from '../../types.ts';
import { CENTRED, gridOf, rowsAxis, valueAxis } from '../charts/axes.ts';
import { chart } from '../charts/chart.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { colourOf, key } from '../charts/kinds.ts';
import { table, textCells } from '../tables.ts';
import { CLASS_FIGURES_HEAD, classFigureCells } from '../../tables/class-figures.ts';

/** Calibration: are the models as often right as they are sure? A table of all, diagrams of those that matter. */
export function calibrationSection(report: Report): Content {
  const rated = report.models.filter(({ calibration }) => calibration !== undefined);
  if (rated.length === 0) return '';
  const rows = rated.map((model) => {
    const { ece, confidence, bins } = model.calibration!;
    const right = bins.reduce((sum, { samples, accuracy }) => sum + samples * (accuracy ?? 0), 0);
    const all = bins.reduce((sum, { samples }) => sum + samples, 0);
    const gap = confidence - right / all;
    const cells = [
      percent(ece),
      percent(confidence),
      percent(right / all),
      leaning(gap),
      ...classFigureCells(model.classFigures),
    ];
    return markup`<tr><th scope="row">${key(report.models.indexOf(model))}${model.id}</th>
      ${textCells(cells)}</tr>`;
  });
  const named = [teacherModel(report), report.models.find(({ model }) => model.role === 'scratch'), finalModel(report)];
  const shown = named.filter((model, i) => model?.calibration !== undefined && named.indexOf(model) === i);
  const { split, bins } = rated[0]!.calibration!;
  return markup`<section id="calibration"><h2>Calibration</h2><p>Is a model as often right as it is sure? On the ${split} split, in ${bins.length} bins of confidence;
      ECE is the expected calibration error, the mean gap between the two. Bars below the diagonal: surer than right.
      The strip under a diagram shows how many samples each bin holds.
      ROC AUC, macro F1 and log loss say more than accuracy where classes are rare, or where a probability is used as such.</p>
      ${table('Calibration', ['model', 'ECE', 'mean confidence', 'accuracy', 'leaning', ...CLASS_FIGURES_HEAD], rows)}
      <div class="thirds">${shown.map((model) => diagram(report, model!))}</div></section>`;
}

/** Below half a point nothing leans. */
function leaning(gap: number): string {
  if (Math.abs(gap) < 0.005) return 'neither';
  return gap > 0 ? 'too sure' : 'not sure enough';
}

function diagram(report: Report, model: ModelRow): Content {
  const { bins, ece } = model.calibration!;
  const kind = report.models.indexOf(model);
  const told = bins.flatMap(({ samples, confidence, accuracy }) =>
    samples === 0 ? [] : [`sure by ${percent(confidence!)}, right on ${percent(accuracy!)} of ${number(samples)}`],
  );
  const title = `Reliability of ${model.id}, expected calibration error ${percent(ece)}: ${told.join('; ')}.`;
  const found = bins.map(({ samples, accuracy }) => [samples, accuracy] as const);
  return reliabilityFigure({ kind, name: model.id, ece, title, bins: found, axes: ['confidence', 'accuracy'] });
}

interface Reliability {
  readonly kind: number;
  readonly name: string;
  readonly ece: number;
  /** For those who do not see it. */
  readonly title: string;
  /** Number of samples, and the share that came true, of each bin. */
  readonly bins: readonly (readonly [samples: number, share: number | null])[];
  readonly axes: readonly [across: string, up: string];
}

export function reliabilityFigure(of: Reliability): Content {
  const svg = chart({ width: 300, height: 290, title: of.title, option: () => reliability(of) });
  return markup`<figure><figcaption>${key(of.kind)}${of.name} <small>ECE ${percent(of.ece)}</small></figcaption>
      ${svg}</figure>`;
}

/** Bars and the diagonal on one grid, the counts under it on another; bins are categories that lie along 0 to 100 %. */
function reliability({ bins, kind, axes: [across, up] }: Reliability): EChartsOption {
  const side = { left: 62, right: 22 } as const;
  const rows = { ...rowsAxis(bins.map((_, i) => `bin ${i + 1}`)), inverse: false };
  const share = { min: 0, max: 1, interval: 0.25, boundaryGap: [0, 0] as [number, number] };
  const bar = { type: 'bar', silent: true, barCategoryGap: '6%' } as const;
  // As high as the square root of the counts: the last bin would hide all others.
  const counts = bins.map(([samples]) => (samples === 0 ? '-' : Math.sqrt(samples)));
  const shares = bins.map(([, value]) => value ?? '-');
  return {
    grid: [gridOf({ ...side, bottom: 76 }), gridOf({ ...side, top: 238, bottom: 30 })],
    xAxis: [
      { ...valueAxis({ text: shortPercent }), ...share },
      { ...rows, show: false },
      { ...rows, gridIndex: 1, axisLabel: { show: false }, name: across, ...CENTRED },
    ],
    yAxis: [
      { ...valueAxis({ name: up, text: shortPercent, gap: 46 }), ...share },
      { type: 'value', gridIndex: 1, show: false },
    ],
    series: [
      { ...bar, xAxisIndex: 1, itemStyle: { color: colourOf(kind), opacity: 0.75 }, data: shares },
      { ...bar, xAxisIndex: 2, yAxisIndex: 1, itemStyle: { color: 'var(--soft)' }, data: counts },
      {
        type: 'line',
        silent: true,
        clip: false,
        symbol: 'none',
        data: [0, 1].map((at) => [at, at]),
        lineStyle: { color: 'var(--ink)', width: 1.5, type: [5, 4] },
      },
    ],
  };
}
