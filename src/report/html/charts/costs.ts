import { milliseconds, short, size } from '../../format.ts';
import { rowScore } from '../../score.ts';

import type { LatencyRow, ModelRow, Report } from '../../types.ts';

/** One mark of a scatter chart: a model, in one runtime where the cost is a latency. */
export interface Point {
  readonly id: string;
  /** Place of the model in the report. */
  readonly kind: number;
  /** Runtime and device that it was timed on; undefined for costs that do not depend on it. */
  readonly place?: string;
  readonly cost: number;
  readonly score: number;
  /** Interval of the mean, where the score is one over several seeds. */
  readonly interval?: readonly [number, number];
}

/** Cost of a model, such as its latency or its size. */
export interface Cost {
  readonly name: string;
  readonly text: (value: number) => string;
  /** Points of one runtime, or of all. */
  readonly points: (place?: string) => Point[];
  readonly isLatency: boolean;
}

function placeOf({ runtime, device }: Pick<LatencyRow, 'runtime' | 'device'>): string {
  return `${runtime} on ${device}`;
}

/** Every runtime that something was timed in. */
export function placesOf({ models }: Report): string[] {
  return [...new Set(models.flatMap(({ latency }) => latency.map(placeOf)))];
}

/** The median at each batch size and number of threads, the tail at the first of them, then size and MACs. */
export function costsOf(report: Report): Cost[] {
  const settings = settingsOf(report);
  const first = settings[0];
  const all: Cost[] = [
    ...settings.map((setting) => latencyCost(report, setting, 'median', ({ p50Ms }) => p50Ms)),
    ...(first === undefined ? [] : [latencyCost(report, first, '95 %', ({ p95Ms }) => p95Ms)]),
    plainCost(report, 'size of the file', size, ({ sizeBytes }) => (sizeBytes > 0 ? sizeBytes : null)),
    plainCost(report, 'multiply-accumulates', short, ({ macs }) => macs),
  ];
  return all.filter((cost) => cost.points().length > 1);
}

interface Setting {
  readonly batchSize: number;
  readonly threads: number;
}

function settingsOf({ models }: Report): Setting[] {
  const found = new Map<string, Setting>();
  for (const { batchSize, threads } of models.flatMap(({ latency }) => latency))
    found.set(`${batchSize} ${threads}`, { batchSize, threads });
  return [...found.values()].sort((a, b) => a.batchSize - b.batchSize || a.threads - b.threads);
}

function latencyCost(
  { models }: Report,
  { batchSize, threads }: Setting,
  what: string,
  of: (row: LatencyRow) => number,
): Cost {
  return {
    name: `${what}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`,
    text: milliseconds,
    isLatency: true,
    points: (place) =>
      models.flatMap((model, kind) =>
        model.latency.flatMap((row): Point[] => {
          const score = rowScore(model);
          const isWanted = row.batchSize === batchSize && row.threads === threads;
          if (!isWanted || score === null || (place !== undefined && place !== placeOf(row))) return [];
          return [{ id: model.id, kind, place: placeOf(row), cost: of(row), score, ...intervalOf(model) }];
        }),
      ),
  };
}

function plainCost(
  { models }: Report,
  name: string,
  text: (value: number) => string,
  of: (model: ModelRow) => number | null,
): Cost {
  return {
    name,
    text,
    isLatency: false,
    points: () =>
      models.flatMap((model, kind): Point[] => {
        const [cost, score] = [of(model), rowScore(model)];
        return cost === null || score === null ? [] : [{ id: model.id, kind, cost, score, ...intervalOf(model) }];
      }),
  };
}

function intervalOf({ repeats }: ModelRow): Pick<Point, 'interval'> {
  return repeats === undefined ? {} : { interval: repeats.interval };
}
