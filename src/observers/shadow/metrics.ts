import { Counter, Gauge } from 'prom-client';
import type { DescribeObserver } from '../../serve/server-metrics.ts';
import { shadowOf } from './observe.ts';

export const metrics: DescribeObserver = (registry, host) => {
  const registers = [registry];
  new Counter({
    name: 'limbeck_serve_shadow_samples_total',
    labelNames: ['model', 'result'] as const,
    registers,
    help: 'Samples that the shadow was to answer too: it agreed, disagreed, was busy (dropped) or failed',
    collect() {
      this.reset();
      const shadow = shadowOf(host());
      for (const [result, count] of Object.entries(shadow?.counts ?? {})) {
        this.inc({ model: shadow!.model, result }, count);
      }
    },
  });
  new Gauge({
    name: 'limbeck_serve_shadow_kept',
    labelNames: ['model'] as const,
    registers,
    help: 'Samples in the transfer set',
    collect() {
      this.reset();
      const shadow = shadowOf(host());
      if (shadow?.kept !== undefined) this.set({ model: shadow.model }, shadow.kept);
    },
  });
};
