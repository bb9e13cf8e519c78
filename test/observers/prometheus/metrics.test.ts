import { get } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as client from 'prom-client';
import { serveMetrics } from '../../../src/observers/prometheus/metrics.ts';
import { runMetrics } from '../../../src/observers/prometheus/run-metrics.ts';
import { ROOT } from '../../support/built.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { training } from '../../support/run-events.ts';

const folder = temporaryFolder();

describe('metrics for Prometheus', () => {
  it('are refused to a page that asks by a name of its own', async () => {
    const server = await serveMetrics({ port: 0 });
    const statusOf = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve) => get(server.url, { headers }, (response) => resolve(response.resume().statusCode!)));
    expect(await statusOf({ host: 'evil.example' })).toBe(403);
    expect(await statusOf({ origin: 'http://evil.example' })).toBe(403);
    expect(await statusOf({})).toBe(200);
    await server.close();
  });

  it('are what the run tells, served where nobody else on the network reads them', async () => {
    const server = await serveMetrics({ port: 0 });
    try {
      expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
      training(folder()).forEach(server.onEvent);
      const response = await fetch(server.url);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const text = await response.text();
      for (const line of [
        /^limbeck_run_info\{run="r",version="[^"]+"\} 1$/m,
        /^limbeck_stage\{stage="distill"\} 1$/m,
        /^limbeck_loss\{stage="distill"\} 0\.75$/m,
        /^limbeck_accuracy_ratio\{stage="distill",split="train"\} 0\.5$/m,
        /^limbeck_accuracy_ratio\{stage="distill",split="validation"\} 0\.625$/m,
        /^limbeck_samples_per_second\{stage="distill"\} 1000$/m,
        /^limbeck_step_seconds\{stage="distill"\} 0\.125$/m,
        /^limbeck_steps_done\{stage="distill"\} 5$/m,
        /^limbeck_steps\{stage="distill"\} 20$/m,
        /^limbeck_epoch\{stage="distill"\} 1$/m,
        /^limbeck_stage_seconds\{stage="distill"\} 4$/m,
        /^limbeck_saved_states_total 1$/m,
        /^limbeck_memory_bytes\{kind="resident"\} \d{7,}$/m,
      ])
        expect(text).toMatch(line);
      const trial = 'width-1-pruned-0-round-1';
      training(folder())
        .map((event) => ('stage' in event ? { ...event, trial } : event))
        .forEach(server.onEvent);
      const both = await (await fetch(server.url)).text();
      expect(both).toMatch(/^limbeck_epoch\{stage="distill"\} 1$/m);
      expect(both).toMatch(/^limbeck_epoch\{trial="width-1-pruned-0-round-1",stage="distill"\} 1$/m);
      expect(both.match(/^limbeck_stage\{.*/gm)).toEqual([`limbeck_stage{trial="${trial}",stage="distill"} 1`]);
      server.onEvent({ type: 'stage', stage: 'latency', title: 'timing' });
      expect(await (await fetch(server.url)).text()).not.toContain('limbeck_stage{stage="distill"}');
      expect((await fetch(server.url.replace('/metrics', '/'))).status).toBe(404);
      await expect(serveMetrics({ port: Number(new URL(server.url).port) })).rejects.toThrow(
        /--metrics: port \d+ of 127\.0\.0\.1 cannot be opened: .*EADDRINUSE/,
      );
    } finally {
      await server.close();
    }
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('of one of several processes say which, and how long it waited for the others', async () => {
    const server = await serveMetrics({ port: 0, process: { rank: 2, waitedSeconds: 1.5 } });
    try {
      server.onEvent({ type: 'warning', message: 'w' });
      const text = await (await fetch(server.url)).text();
      expect(text).toContain('limbeck_waited_seconds_total{rank="2"} 1.5');
      expect(text).toContain('limbeck_warnings_total{rank="2"} 1');
    } finally {
      await server.close();
    }
  });

  it('are all that the dashboard asks for', async () => {
    const registry = new client.Registry();
    runMetrics(client, registry);
    const known = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    registry.clear();
    const text = await readFile(path.join(ROOT, 'docs/grafana-dashboard.json'), 'utf8');
    const { panels } = JSON.parse(text) as { panels: { title: string; targets?: { expr: string }[] }[] };
    const asked = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => expr.match(/\b[a-z]+_[a-z_]+\b/g) ?? []),
    );
    const names = [...new Set(asked)].filter((name) => /^(limbeck|process|nodejs)_/.test(name));
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });
});
