import type * as PromClient from 'prom-client';
import type { Counter, Gauge, Registry } from 'prom-client';
import { limbeckVersion } from '../../base/process/packages.ts';
import { eventScore, metricOfEvent } from '../../watch/events.ts';
import type { OfTask, OnEvent, RunEvent } from '../../base/events.ts';
import type { RankedProcess } from './ranked-process.ts';

/** Metrics of a run's events; names and units follow Prometheus' conventions. */
export function runMetrics(client: typeof PromClient, registry: Registry, ranked?: RankedProcess): OnEvent {
  if (ranked !== undefined) registry.setDefaultLabels({ rank: String(ranked.rank) });
  client.collectDefaultMetrics({ register: registry });
  // Removed: gauges with the names of counters, which promtool refuses, and which nobody needs to watch a training.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
    new client.Gauge({ name: `limbeck_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string): Counter =>
    new client.Counter({ name: `limbeck_${name}`, help, registers });

  const info = gauge('run_info', 'The run that is going on; always 1.', ['run', 'version']);
  // Only searches have the label `trial`, because stages have the same names in every trial.
  const current = gauge('stage', 'The stage that is going on; always 1.', ['trial', 'stage']);
  const loss = gauge('loss', 'Mean training loss of the epoch so far.', ['trial', 'stage']);
  const right = gauge('accuracy_ratio', 'Share of right answers, by split.', ['trial', 'stage', 'split']);
  const scored = gauge('score', 'Score other than accuracy, by split.', ['trial', 'stage', 'split', 'score']);
  const tellScore = (event: StageEventOf, split: string, value: number): void => {
    const labels = { ...labelsOf(event), split };
    if (eventScore(event).isShareRight) right.set(labels, value);
    else scored.set({ ...labels, score: metricOfEvent(event) }, value);
  };
  const speed = gauge('samples_per_second', 'Samples per second since the stage was started.', ['trial', 'stage']);
  const step = gauge('step_seconds', 'Time of one step, mean since the last report of progress.', ['trial', 'stage']);
  const done = gauge('steps_done', 'Steps done of the stage.', ['trial', 'stage']);
  const total = gauge('steps', 'Steps of the stage.', ['trial', 'stage']);
  const epoch = gauge('epoch', 'Epochs done, with fraction.', ['trial', 'stage']);
  const seconds = gauge('stage_seconds', 'Working time of a stage that has come to its end.', ['trial', 'stage']);
  const saved = counter('saved_states_total', 'Training states saved since the start.');
  const warnings = counter('warnings_total', 'Warnings since the start.');
  new client.Gauge({
    name: 'limbeck_memory_bytes',
    labelNames: ['kind'],
    registers,
    collect: measureMemory,
    help: 'Memory of the process: resident, JavaScript heap, and buffers outside of it.',
  });

  new client.Counter({
    name: 'limbeck_waited_seconds_total',
    registers,
    help: 'Time that this process has waited for the others of its training; 0 of one alone.',
    collect() {
      this.reset();
      this.inc(ranked?.waitedSeconds ?? 0);
    },
  });

  return (event: RunEvent) => {
    switch (event.type) {
      case 'run':
        info.set({ run: event.name, version: limbeckVersion() }, 1);
        break;
      case 'stage':
        current.reset();
        current.set(labelsOf(event), 1);
        break;
      case 'progress': {
        const eventLabels = labelsOf(event);
        done.set(eventLabels, event.done);
        total.set(eventLabels, event.total);
        if (event.samplesPerSecond !== undefined) speed.set(eventLabels, event.samplesPerSecond);
        if (event.secondsPerStep !== undefined) step.set(eventLabels, event.secondsPerStep);
        if (event.epoch !== undefined) epoch.set(eventLabels, event.epoch);
        if (event.loss !== undefined) loss.set(eventLabels, event.loss);
        if (event.score !== undefined) tellScore(event, 'train', event.score);
        break;
      }
      case 'epoch': {
        const of = labelsOf(event);
        loss.set(of, event.loss);
        epoch.set(of, event.epoch);
        if (event.score !== undefined) tellScore(event, 'train', event.score);
        if (event.validation !== undefined) tellScore(event, 'validation', event.validation);
        break;
      }
      case 'done': {
        const of = labelsOf(event);
        seconds.set(of, event.seconds);
        for (const [split, value] of Object.entries(event.figures.score ?? {})) tellScore(event, split, value);
        break;
      }
      case 'saved':
        saved.inc();
        break;
      case 'warning':
        warnings.inc();
        break;
      case 'message':
        break;
    }
  };
}

interface StageEventOf extends OfTask {
  readonly stage: string;
  readonly trial?: string;
}

function labelsOf({ stage, trial }: { readonly stage: string; readonly trial?: string }) {
  return { ...(trial !== undefined && { trial }), stage };
}

function measureMemory(this: Gauge<'kind'>): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  this.set({ kind: 'resident' }, rss);
  this.set({ kind: 'heap' }, heapUsed);
  this.set({ kind: 'external' }, external);
}
