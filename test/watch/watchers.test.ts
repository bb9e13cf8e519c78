import { get } from 'node:http';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as client from 'prom-client';
import type { RunEvent } from '../../src/base/events.ts';
import { serveMetrics } from '../../src/watch/metrics.ts';
import { runMetrics } from '../../src/watch/run-metrics.ts';
import { tensorboardWriter } from '../../src/watch/tensorboard.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const training = (run: string): RunEvent[] => [
  { type: 'run', name: 'r', folder: run, resumed: false },
  { type: 'stage', stage: 'distill', title: 'distilling', step: 0 },
  {
    ...{ type: 'progress', stage: 'distill', done: 5, total: 20, epoch: 0.5, epochs: 2, loss: 1.5, score: 0.25 },
    ...{ samplesPerSecond: 1000, secondsPerStep: 0.125, secondsLeft: 3 },
  },
  {
    ...{ type: 'epoch', stage: 'distill', epoch: 1, epochs: 2, step: 10, loss: 0.75, score: 0.5 },
    ...{ validation: 0.625, seconds: 2 },
  },
  { type: 'saved', stage: 'distill', file: 'x' },
  { type: 'done', stage: 'distill', seconds: 4, figures: { score: { validation: 0.625 } } },
];

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

describe("TensorBoard's files", () => {
  it('lie in a folder per stage; a start has files of its own', async () => {
    const run = folder();
    const failures: string[] = [];
    const write = tensorboardWriter((message) => failures.push(message));
    training(run).forEach(write);
    const place = path.join(run, 'tensorboard/distill');
    const [name, ...others] = await readdir(place);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./);
    const text = await readFile(path.join(place, name!), 'latin1');
    for (const tag of [
      'brain.Event:2',
      'running/loss',
      'speed/seconds_per_step',
      'memory/resident_bytes',
      'epoch/validation_accuracy',
    ])
      expect(text).toContain(tag);
    const again = tensorboardWriter(() => undefined);
    training(run).forEach(again);
    expect(await readdir(place)).toHaveLength(2);
    expect(failures).toEqual([]);
  });

  it('have the test accuracy of each file, and in a search a folder per trial', async () => {
    const write = tensorboardWriter(() => undefined);
    const score = { validation: 0.625, test: 0.5 };
    const measured: RunEvent = { type: 'done', stage: 'measure exports/a.onnx', seconds: 1, figures: { score } };
    [...training(folder()), measured, { ...measured, trial: 'width-1' }].forEach(write);
    const place = path.join(folder(), 'tensorboard');
    expect((await readdir(place)).sort()).toEqual(['distill', 'measure-exports-a.onnx', 'width-1']);
    for (const one of ['measure-exports-a.onnx', 'width-1/measure-exports-a.onnx']) {
      const [name] = await readdir(path.join(place, one));
      const text = await readFile(path.join(place, one, name!), 'latin1');
      expect(text).toContain('result/test_accuracy');
      expect(text).toContain('result/validation_accuracy');
    }
  });

  it('that cannot be written are given up with one warning, and the run goes on', async () => {
    await writeFile(path.join(folder(), 'tensorboard'), 'in the way');
    const failures: string[] = [];
    const write = tensorboardWriter((message) => failures.push(message));
    training(folder()).forEach(write);
    expect(failures).toEqual([expect.stringMatching(/^TensorBoard's files cannot be written: /)]);
  });
});
