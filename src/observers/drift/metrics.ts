import { Gauge } from 'prom-client';
import type { DescribeObserver } from '../../serve/server-metrics.ts';
import type { DriftObserver } from './observe.ts';

/** Drift of each model of which it is known how it usually answers; nothing of the others. */
export const metrics: DescribeObserver = (registry, host) => {
  const registers = [registry];
  const labelNames = ['model', 'of'] as const;
  const watches = () => {
    const observer = host().observer('drift') as DriftObserver | undefined;
    return host().models.map((model) => ({ name: model.name, watch: observer?.watchOf(model) }));
  };
  new Gauge({
    name: 'limbeck_serve_drift_psi',
    labelNames,
    registers,
    help: 'Population stability index of the latest answers beside those of the split that the model was measured on',
    collect() {
      this.reset();
      for (const { name, watch } of watches()) {
        for (const [of, value] of Object.entries(watch?.drift?.psi ?? {})) this.set({ model: name, of }, value);
      }
    },
  });
  new Gauge({
    name: 'limbeck_serve_drift_ks',
    labelNames,
    registers,
    help: 'Statistic of Kolmogorov and Smirnov of the same',
    collect() {
      this.reset();
      for (const { name, watch } of watches()) {
        for (const [of, value] of Object.entries(watch?.drift?.ks ?? {})) this.set({ model: name, of }, value);
      }
    },
  });
  new Gauge({
    name: 'limbeck_serve_drift_samples',
    labelNames: ['model'] as const,
    registers,
    help: 'Latest samples that are compared',
    collect() {
      this.reset();
      for (const { name, watch } of watches()) if (watch !== undefined) this.set({ model: name }, watch.samples);
    },
  });
};
