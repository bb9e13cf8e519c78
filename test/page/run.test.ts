import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { addTold, emptyState } from '../../src/page/browser/run/state.ts';
import type { Told } from '../../src/page/run/log.ts';
import { serveRunPage } from '../../src/page/run/server.ts';
import { temporaryFolder } from '../support/folder.ts';
import { taskRow } from '../../src/recipe/task.ts';

const folder = temporaryFolder();

const epoch = (number: number, stage = 'distill', trial?: string): RunEvent => ({
  ...{ type: 'epoch', stage, epoch: number, epochs: 2, step: number, loss: 1 / number, score: 0.5, seconds: 1 },
  ...{ validation: number / 10, ...(trial !== undefined && { trial }) },
});
const progress = (done: number): RunEvent => ({ type: 'progress', stage: 'distill', done, total: 9, secondsLeft: 1 });

describe('the page of a run', () => {
  it('is told what happened since it asked last, and how it ended', async () => {
    const page = await serveRunPage({ port: 0 });
    const told = async (since: number): Promise<Told> =>
      (await (await fetch(`${page.url}events.json?since=${since}&viewer=a`)).json()) as Told;
    page.onEvent({ type: 'run', name: 'r', folder: folder(), resumed: false });
    page.onEvent({ type: 'stage', stage: 'distill', title: 'distilling' });
    page.onEvent(progress(1));
    page.onEvent(epoch(1));
    page.onEvent(progress(2));
    const state = emptyState();
    const first = await told(0);
    addTold(state, first);
    expect(state).toMatchObject({ name: 'r', current: 'distill', progress: { done: 2 }, end: undefined });
    page.onEvent(epoch(2));
    page.onEvent({ type: 'warning', message: 'odd' });
    page.onEvent({ type: 'done', stage: 'distill', seconds: 4, figures: { score: { validation: 0.2 } } });
    const second = await told(first.next);
    expect(second.events).toHaveLength(3);
    addTold(state, second);
    expect([...state.curves.get('distill')!.values()].map(({ validation }) => validation)).toEqual([0.1, 0.2]);
    expect(state.stages.get('distill')).toMatchObject({ seconds: 4, figures: { score: { validation: 0.2 } } });
    expect([state.current, state.progress, state.messages]).toEqual([
      undefined,
      undefined,
      [{ level: 'warning', text: 'odd' }],
    ]);

    // The run has ended: it waits until the page that is open has the report.
    expect((await fetch(`${page.url}report.html?viewer=a`)).status).toBe(404);
    await writeFile(path.join(folder(), 'report.html'), '<p>the report</p>');
    let isClosed = false;
    const closed = page.close({ status: 'finished' }).then(() => (isClosed = true));
    addTold(state, await told(second.next));
    expect([state.end, isClosed]).toEqual([{ status: 'finished' }, false]);
    const report = await fetch(`${page.url}report.html?viewer=a`);
    expect(report.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'; .*form-action 'none'/);
    expect(await report.text()).toBe('<p>the report</p>');
    await closed;
    await expect(fetch(page.url)).rejects.toThrow();
  });

  it('has the score of its task, which the first event names', () => {
    const state = emptyState();
    const { score } = taskRow('regression');
    const run = { type: 'run', name: 'r', folder: 'r', resumed: false, task: 'regression', score } as const;
    addTold(state, { events: [run], next: 1 });
    expect([state.score.name, state.score.text(54.21)]).toEqual(['RMSE', '54.21']);
  });

  it('keeps stages of trials apart, and ends at once where nobody looks', async () => {
    const page = await serveRunPage({ port: 0 });
    const { end } = { end: { status: 'stopped', message: 'no room' } } as const;
    const state = emptyState();
    addTold(state, { events: [epoch(1, 'distill', 'a'), epoch(1, 'distill', 'b'), epoch(1)], next: 3, end });
    expect([...state.curves.keys()]).toEqual(['a/distill', 'b/distill', 'distill']);
    const start = performance.now();
    await page.close(end);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('shows what an earlier start of the run had done', () => {
    const state = emptyState();
    const training = [
      { stage: 'distill', bestEpoch: null, epochs: [{ epoch: 1, loss: 2, score: 0.3, validation: 0.4 }] },
    ];
    const stages = [{ stage: 'teach', seconds: 7, score: { validation: 0.9 } }];
    addTold(state, { before: { training, stages }, events: [epoch(2)], next: 1 });
    expect([...state.curves.get('distill')!.keys()]).toEqual([1, 2]);
    expect(state.stages.get('teach')).toMatchObject({ seconds: 7, figures: { score: { validation: 0.9 } } });
  });

  it('takes few connections, and waits for few pages, whoever asks how often', async () => {
    const page = await serveRunPage({ port: 0 });
    const { port } = new URL(page.url);
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1'));
    const open = new Set(sockets);
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.on('error', () => undefined);
            socket.resume().on('close', () => resolve(void open.delete(socket)));
            socket.write('GET /events.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
            socket.once('data', () => resolve());
          }),
      ),
    );
    expect(open.size).toBe(256);
    sockets.forEach((socket) => socket.destroy());
    for (const viewer of ['a'.repeat(65), ...Array.from({ length: 70 }, (_, i) => `b${i}`)])
      while ((await fetch(`${page.url}events.json?viewer=${viewer}`).catch(() => undefined))?.ok !== true);
    let isClosed = false;
    const closed = page.close({ status: 'stopped' }).then(() => (isClosed = true));
    for (let i = 6; i < 70; i++) {
      expect(isClosed).toBe(false);
      await (await fetch(`${page.url}events.json?viewer=b${i}`)).text();
    }
    const isAtOnce = await Promise.race([
      closed,
      new Promise((resolve) => setTimeout(() => resolve(false), 3000).unref()),
    ]);
    expect(isAtOnce).toBe(true);
  });

  it('is for this machine, and for nothing but reading', async () => {
    const page = await serveRunPage({ port: 0 });
    try {
      const status = async (place: string, init?: RequestInit) => (await fetch(page.url + place, init)).status;
      const html = await fetch(page.url);
      expect(html.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self'/);
      expect(await html.text()).toContain('<script type="module" src="app/page/browser/run.js">');
      expect(await status('', { headers: { origin: 'http://example.com' } })).toBe(403);
      expect(await status('events.json', { method: 'POST' })).toBe(405);
      expect(await status('events.json?since=x')).toBe(400);
      expect(await status('..%2f..%2fpackage.json')).toBe(404);
      await expect(serveRunPage({ port: Number(new URL(page.url).port) })).rejects.toThrow(
        /--page-port: port \d+ of 127\.0\.0\.1 cannot be opened: .*EADDRINUSE/,
      );
    } finally {
      await page.close({ status: 'finished' });
    }
  });
});
