import { decimals, percent } from '../../base/numbers.ts';
import type { Score } from '../../tasks/score.ts';
import { milliseconds, number, size } from '../format.ts';
import { rowScore, scoreOf } from '../score.ts';
import { finalModel, settingOf } from '../summary.ts';
import type { Repeats } from '../types.ts';
import type { LatencyRow, ModelRow, Report, Verdict } from '../types.ts';

export interface Comparison {
  readonly runs: readonly string[];
  /** Keys of the recipes in which the runs differ, with the value of each run. */
  readonly recipe: readonly { readonly key: string; readonly values: readonly unknown[] }[];
  /** Measured quantities, with the figure of each run in words; null where a run has none. */
  readonly figures: readonly { readonly what: string; readonly values: readonly (string | null)[] }[];
}

/** Comparison of runs: differences of their recipes, and their results. `runs` are their names. */
export function compareReports(
  reports: readonly Report[],
  runs: readonly string[] = reports.map(({ name }) => name),
): Comparison {
  const models = reports.map(finalModel);
  const flat = reports.map(({ recipe }) => flatten(recipe ?? {}));
  const keys = [...new Set(flat.flatMap((map) => [...map.keys()]))].filter((key) => key !== 'name');
  const recipe = keys
    .map((key) => ({ key, values: flat.map((map) => map.get(key)) }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);

  const of = (what: string, value: (model: ModelRow, report: Report) => string | null) => ({
    what,
    values: models.map((model, i) => (model === undefined ? null : value(model, reports[i]!))),
  });
  const settings = [...new Set(models.flatMap((model) => model?.latency.map(settingOf) ?? []))];
  const ids = [...new Set(reports.flatMap(({ models: rows }) => rows.map(({ id }) => id)))];
  const figures = [
    { what: 'status', values: reports.map(({ status }) => status) },
    of('model', ({ id }) => id),
    ...ids.map((id) => ({
      what: `${scoreNameOf(reports)} of ${id}`,
      values: reports.map((report) => {
        const row = report.models.find((model) => model.id === id);
        const own = row === undefined ? null : rowScore(row);
        if (row?.repeats !== undefined) return meanWithInterval(row.repeats, scoreOf(report));
        return own === null ? null : withError(own, report, row!);
      }),
    })),
    { what: 'verdict', values: reports.map(({ verdict }) => verdict?.result ?? null) },
    {
      what: 'gain',
      values: reports
        .map((report) => report.verdict && gainText(report.verdict, scoreOf(report)))
        .map((text) => text ?? null),
    },
    of('parameters', ({ params }) => number(params)),
    of('MACs', ({ macs }) => (macs === null ? null : number(macs))),
    of('size', ({ sizeBytes }) => (sizeBytes === 0 ? null : size(sizeBytes))),
    ...settings.map((setting) =>
      of(`median in ${setting}`, ({ latency }) => {
        const row = latency.find((candidate) => settingOf(candidate) === setting);
        return row === undefined ? null : medianOf(row);
      }),
    ),
  ];
  return { runs, recipe, figures: figures.filter(({ values }) => values.some((value) => value !== null)) };
}

/** The score's name, where all runs have the same task. */
function scoreNameOf(reports: readonly Report[]): string {
  const names = new Set(reports.map((report) => scoreOf(report).name));
  return names.size === 1 ? [...names][0]! : 'score';
}

function gainText({ gain, interval }: Verdict, score: Score): string {
  if (score.better === 'lower') {
    const between = interval === null ? '' : ` (${score.change(-interval[0])} to ${score.change(-interval[1])})`;
    return `${score.change(-gain)} ${score.name}${between}`;
  }
  const said = (fraction: number): string => score.change(fraction).replace(/ points$/, '');
  const between = interval === null ? '' : ` (${said(interval[0])} to ${said(interval[1])})`;
  return `${said(gain)} points${between}`;
}

/** Median latency, with the 95 % interval from the spread between sessions where there were several. */
function medianOf({ p50Ms, intervalMs }: LatencyRow): string {
  const between = intervalMs ? ` (${intervalMs.map(milliseconds).join(' to ')})` : '';
  return `${milliseconds(p50Ms)}${between}`;
}

/** Wilson's 95 % interval of a share: what the size of the split alone leaves open. */
export function shareInterval(share: number, samples: number): readonly [number, number] {
  const z = 1.96;
  const scale = 1 + z ** 2 / samples;
  const centre = (share + z ** 2 / (2 * samples)) / scale;
  const half = (z * Math.sqrt((share * (1 - share)) / samples + (z / (2 * samples)) ** 2)) / scale;
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

function meanWithInterval({ mean, interval: [low, high], scores }: Repeats, score: Score): string {
  const [a, b] = score.isShareRight ? [low, high].map((end) => decimals(100 * end, 1)) : [low, high].map(score.text);
  return `${score.text(mean)} (${a!} to ${b!}), mean of ${scores.length}`;
}

function withError(value: number, report: Report, row: ModelRow): string {
  const { dataset } = report;
  const score = scoreOf(report);
  // Wilson's interval is that of a share of samples that are right.
  if (!score.isShareRight) return score.text(value);
  const samples = row.score.test === null ? dataset.samples.validation : dataset.samples.test;
  if (samples === 0) return percent(value);
  const [low, high] = shareInterval(value, samples);
  return `${percent(value)} (${decimals(100 * low, 1)} to ${decimals(100 * high, 1)})`;
}

/** Leaves by their path: `distill.temperature`. Lists count as leaves. */
function flatten(value: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? [...flatten(inner as object, `${prefix}${key}.`)]
        : [[prefix + key, inner]],
    ),
  );
}
