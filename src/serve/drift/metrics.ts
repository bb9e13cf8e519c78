import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { ModelHost } from '../host.ts';

/** Drift of each model of which it is known how it usually answers; nothing of the others. */
export function describeDrift(registry: Registry, host: () => ModelHost): void {
  const registers = [registry];
  const labelNames = ['model', 'of'] as const;
  const drifts = () => host().models.map(({ name, drift }) => ({ name, drift: drift?.drift }));
  new Gauge({
    ...{ name: 'limbeck_serve_drift_psi', labelNames, registers },
    help: 'Population stability index of the latest answers beside those of the split that the model was measured on',
    collect() {
      this.reset();
      for (const { name, drift } of drifts()) {
        for (const [of, value] of Object.entries(drift?.psi ?? {})) this.set({ model: name, of }, value);
      }
    },
  });
  new Gauge({
    ...{ name: 'limbeck_serve_drift_ks', labelNames, registers },
    help: 'Statistic of Kolmogorov and Smirnov of the same',
    collect() {
      this.reset();
      for (const { name, drift } of drifts()) {
        for (const [of, value] of Object.entries(drift?.ks ?? {})) this.set({ model: name, of }, value);
      }
    },
  });
  new Gauge({
    ...{ name: 'limbeck_serve_drift_samples', labelNames: ['model'] as const, registers },
    help: 'Latest samples that are compared',
    collect() {
      this.reset();
      for (const { name, drift } of host().models) if (drift !== undefined) this.set({ model: name }, drift.samples);
    },
  });
}
