import { freemem, totalmem } from 'node:os';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Slot } from '../base/registry.ts';
import type { ModelHost } from './host.ts';
import { MODEL_VERSION } from './model.ts';
import type { ServerMetrics } from './metrics.ts';
import { serverObservers } from './observer-registry.ts';
import type { Duration, Statistics } from './statistics.ts';

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SAMPLES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Stages with a histogram, of nineteen lines for each model; of the others Triton's counters tell the mean. */
const STAGES = ['queue', 'total'] as const;

/** Adds the metrics of an observer, which are there whether the server has the observer or not. */
export type DescribeObserver = (registry: Registry, host: () => ModelHost) => void;

const OBSERVER_METRICS = new Slot<DescribeObserver>(serverObservers, 'metrics', 'metrics');

/**
 * Metrics of the server: `nv_inference_*` with Triton's names, labels and meanings, so that its dashboards and scalers work
 * here, and `limbeck_serve_*` for the rest. Counts are kept by the models themselves and copied when somebody asks.
 */
export async function serverMetrics(host: () => ModelHost, device: () => string): Promise<ServerMetrics> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  copyStatistics(registry, host);
  describeResources(registry, host, device);
  for (const name of OBSERVER_METRICS.names()) (await OBSERVER_METRICS.load(name))(registry, host);
  const registers = [registry];
  const stages = new Histogram({
    name: 'limbeck_serve_stage_seconds',
    registers,
    buckets: SECONDS,
    labelNames: ['model', 'stage'] as const,
    help: 'Time of a request by stage: in the queue, and from there to its answer, the queue included.',
  });
  const samplesOf = new Histogram({
    name: 'limbeck_serve_request_samples',
    registers,
    buckets: SAMPLES,
    labelNames: ['model'] as const,
    help: 'Samples in a request.',
  });
  const http = new Histogram({
    name: 'limbeck_serve_http_request_seconds',
    registers,
    buckets: SECONDS,
    labelNames: ['code'] as const,
    help: 'Time from the headers of an HTTP request to its answer, by status.',
  });
  // Looking up labels costs more than counting.
  const known = new Map<string, { stages: Record<string, Observer>; samples: Observer }>();
  const codes = new Map<number, Observer>();
  let collected: Promise<string> | undefined;
  // Once for all who ask in this turn: of fifty models it takes milliseconds.
  const collect = async (): Promise<string> => {
    await new Promise((resolve) => setImmediate(resolve));
    collected = undefined;
    return registry.metrics();
  };
  return {
    isKept: true,
    text: async () => ({ text: await (collected ??= collect()), type: registry.contentType }),
    onAnswered: ({ name }, { queueMs, inputMs, inferMs, outputMs }, samples) => {
      let own = known.get(name);
      if (own === undefined) {
        const children = STAGES.map((stage) => [stage, stages.labels({ model: name, stage })] as const);
        own = { stages: Object.fromEntries(children), samples: samplesOf.labels({ model: name }) };
        known.set(name, own);
      }
      const all = [queueMs, queueMs + inputMs + inferMs + outputMs];
      STAGES.forEach((stage, i) => own.stages[stage]!.observe(all[i]! / 1000));
      own.samples.observe(samples);
    },
    onAnswer: ({ status, ms }) => {
      let own = codes.get(status);
      if (own === undefined) codes.set(status, (own = http.labels({ code: String(status) })));
      own.observe(ms / 1000);
    },
  };
}

interface Observer {
  observe(value: number): void;
}

function copyStatistics(registry: Registry, host: () => ModelHost): void {
  const microseconds = ({ ms }: Duration): number => Math.round(1000 * ms);
  const counters: Readonly<Record<string, readonly [help: string, value: (of: Statistics) => number]>> = {
    request_success: ['Requests that were answered', (of) => of.success.count],
    count: ['Samples that were run', (of) => of.inferences],
    exec_count: ['Calls of the model, each with one batch', (of) => of.executions],
    request_duration_us: ['Time of all answered requests', (of) => microseconds(of.success)],
    queue_duration_us: ['Time that they waited', (of) => microseconds(of.queue)],
    compute_input_duration_us: ['Time of placing inputs', (of) => microseconds(of.computeInput)],
    compute_infer_duration_us: ['Time of running the model', (of) => microseconds(of.computeInfer)],
    compute_output_duration_us: ['Time of handing out outputs', (of) => microseconds(of.computeOutput)],
  };
  const labelNames = ['model', 'version'] as const;
  const registers = [registry];
  for (const [name, [help, value]] of Object.entries(counters)) {
    new Counter({
      name: `nv_inference_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const model of host().models)
          this.inc({ model: model.name, version: MODEL_VERSION }, value(model.statistics));
      },
    });
  }
  new Counter({
    name: 'nv_inference_request_failure',
    labelNames: [...labelNames, 'reason'] as const,
    registers,
    help: 'Requests that were not answered, by reason',
    collect() {
      this.reset();
      for (const { name, statistics } of host().models) {
        for (const [reason, count] of Object.entries(statistics.failures)) {
          this.inc({ model: name, version: MODEL_VERSION, reason }, count);
        }
      }
    },
  });
  new Gauge({
    name: 'nv_inference_pending_request_count',
    labelNames,
    registers,
    help: 'Requests that wait in the queue',
    collect() {
      this.reset();
      for (const { name, queue } of host().models) this.set({ model: name, version: MODEL_VERSION }, queue.requests);
    },
  });
  new Counter({
    name: 'limbeck_serve_unknown_words_total',
    labelNames: ['model', 'column'] as const,
    registers,
    help: 'Words in rows of a table that train does not have, by column',
    collect() {
      this.reset();
      for (const { name, statistics } of host().models)
        for (const [column, count] of statistics.unknownWords) this.inc({ model: name, column }, count);
    },
  });
  new Counter({
    name: 'limbeck_serve_batches_total',
    labelNames: ['model', 'samples'] as const,
    registers,
    help: 'Calls of a model by the samples that they had',
    collect() {
      this.reset();
      for (const { name, statistics } of host().models) {
        for (const [samples, { infer }] of statistics.batches) this.inc({ model: name, samples }, infer.count);
      }
    },
  });
}

function describeResources(registry: Registry, host: () => ModelHost, device: () => string): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge('nv_cpu_memory_total_bytes', 'Memory of the machine', totalmem);
  gauge('nv_cpu_memory_used_bytes', 'Memory of the machine in use', () => totalmem() - freemem());
  gauge('limbeck_serve_workers', 'Worker processes that can run models', () => host().pool.workers.length);
  gauge(
    'limbeck_serve_workers_busy',
    'Worker processes that run one',
    () => host().pool.workers.filter((one) => one.busy > 0).length,
  );
  gauge('limbeck_serve_ready', '1 while requests are answered', () => Number(host().isReady));
  new Counter({
    name: 'limbeck_serve_worker_deaths_total',
    help: 'Worker processes that ended by themselves',
    registers,
    collect() {
      this.reset();
      this.inc(host().pool.deaths);
    },
  });
  new Gauge({
    name: 'limbeck_serve_worker_memory_bytes',
    labelNames: ['pid'] as const,
    registers,
    help: 'Resident memory of each worker process',
    collect() {
      this.reset();
      for (const { pid, resources } of host().pool.everyone) this.set({ pid: String(pid) }, resources.rssBytes);
    },
  });
  new Counter({
    name: 'limbeck_serve_worker_cpu_seconds_total',
    labelNames: ['pid'] as const,
    registers,
    help: 'Processor time of each worker process',
    collect() {
      this.reset();
      for (const { pid, resources } of host().pool.everyone) this.inc({ pid: String(pid) }, resources.cpuSeconds);
    },
  });
  new Gauge({
    name: 'limbeck_serve_model_cost_seconds',
    labelNames: ['model', 'part'] as const,
    registers,
    help: 'What a call of a model costs: part fixed, and part sample for each of its samples',
    collect() {
      this.reset();
      for (const { name, cost } of host().models) {
        this.set({ model: name, part: 'fixed' }, cost.cost.fixed / 1000);
        this.set({ model: name, part: 'sample' }, cost.cost.perSample / 1000);
      }
    },
  });
  new Gauge({
    name: 'limbeck_serve_model_info',
    labelNames: ['model', 'sha256', 'batching', 'exact', 'device'] as const,
    registers,
    help: 'The models that are served; always 1',
    collect() {
      this.reset();
      for (const { name, sha256, facts } of host().models) {
        const labels = { model: name, sha256, batching: facts.batching.kind, exact: String(facts.exact ?? '') };
        this.set({ ...labels, device: device() }, 1);
      }
    },
  });
}
