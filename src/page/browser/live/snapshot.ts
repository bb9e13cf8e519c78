import { parseExposition } from './exposition.ts';
import type { Sample } from './exposition.ts';

/** Counts of one model since the server's start, and its state now. */
export interface ModelCounts {
  requests: number;
  samples: number;
  calls: number;
  failures: number;
  waiting: number;
  /** Requests by the most seconds that they took: cumulative, as Prometheus has them. */
  readonly buckets: Map<number, number>;
}

/** Metrics of the server at one moment. */
export interface Snapshot {
  /** Seconds on the page's clock. */
  readonly at: number;
  readonly models: ReadonlyMap<string, ModelCounts>;
  readonly workers: number;
  readonly busy: number;
  /** Bytes of the workers together. */
  readonly memory: number;
  /** Answers over HTTP by the first digit of their status. */
  readonly answers: ReadonlyMap<string, number>;
  /** Gauges of drift, by name and then by their labels as text. */
  readonly drift: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly help: ReadonlyMap<string, string>;
}

const COUNTS: Readonly<Record<string, keyof Omit<ModelCounts, 'buckets'>>> = {
  nv_inference_request_success: 'requests',
  nv_inference_count: 'samples',
  nv_inference_exec_count: 'calls',
  nv_inference_request_failure: 'failures',
  nv_inference_pending_request_count: 'waiting',
};

export function snapshotOf(text: string, at: number): Snapshot {
  const { samples, help, type } = parseExposition(text);
  const models = new Map<string, ModelCounts>();
  const answers = new Map<string, number>();
  const drift = new Map<string, Map<string, number>>();
  for (const sample of samples) {
    const { name, labels, value } = sample;
    const count = COUNTS[name];
    if (count !== undefined) countsOf(models, labels['model']!)[count] += value;
    else if (name === 'limbeck_serve_stage_seconds_bucket' && labels['stage'] === 'total') {
      countsOf(models, labels['model']!).buckets.set(labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value);
    } else if (name === 'limbeck_serve_http_request_seconds_count') {
      const first = labels['code']!.slice(0, 1);
      answers.set(first, (answers.get(first) ?? 0) + value);
    } else if (name.includes('drift') && type.get(name) === 'gauge') {
      if (!drift.has(name)) drift.set(name, new Map());
      drift.get(name)!.set(lineName(labels), value);
    }
  }
  const sum = (name: string): number => total(samples, name);
  return {
    at,
    models,
    answers,
    drift,
    help,
    workers: sum('limbeck_serve_workers'),
    busy: sum('limbeck_serve_workers_busy'),
    memory: sum('limbeck_serve_worker_memory_bytes'),
  };
}

function countsOf(models: Map<string, ModelCounts>, name: string): ModelCounts {
  let counts = models.get(name);
  if (counts === undefined) {
    counts = { requests: 0, samples: 0, calls: 0, failures: 0, waiting: 0, buckets: new Map() };
    models.set(name, counts);
  }
  return counts;
}

function total(samples: readonly Sample[], name: string): number {
  return samples.reduce((sum, sample) => (sample.name === name ? sum + sample.value : sum), 0);
}

/** The model first, then whatever else tells one line from another. */
function lineName({ model, ...others }: Readonly<Record<string, string>>): string {
  const rest = Object.entries(others)
    .filter(([label]) => label !== 'version')
    .map(([, value]) => value);
  return [model ?? '', ...rest].filter((part) => part !== '').join(', ') || 'value';
}
