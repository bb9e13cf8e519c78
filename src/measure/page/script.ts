import type { Plan, Posted, PostedRow, Shown } from './protocol.ts';
import { findRuntimes } from './runtimes.ts';
import { timeJobs } from './timing.ts';

/** The page's script: measures on request, shows results, and sends them to the server. */

interface Element {
  textContent: string | null;
  value: string;
  hidden: boolean;
  disabled: boolean;
  append(...children: Element[]): void;
  addEventListener(event: 'click', listener: () => void): void;
}
declare const document: {
  getElementById(id: string): Element | null;
  createElement(tag: string): Element;
};
declare const navigator: {
  readonly userAgent: string;
  readonly userAgentData?: { getHighEntropyValues(hints: string[]): Promise<{ model?: string }> };
};
declare const location: { readonly search: string };

const element = (id: string): Element => document.getElementById(id)!;
const parameters = new URLSearchParams(location.search);

async function measure(): Promise<void> {
  const [button, status] = [element('start'), element('status')];
  button.disabled = true;
  try {
    const plan = (await (await fetch('plan.json')).json()) as Plan;
    status.textContent = 'Loading the runtimes …';
    const { found, skipped } = await findRuntimes(new Set(plan.models.map(({ format }) => format)), plan.threads);
    const bytes = new Map<string, Uint8Array>();
    for (const { id, url } of plan.models) {
      bytes.set(id, new Uint8Array(await (await fetch(url)).arrayBuffer()));
    }
    const jobs = plan.models.flatMap((model) =>
      found
        .filter(({ format }) => format === model.format)
        .flatMap((runtime) =>
          model.settings.map(({ batchSize, inputs }) => ({
            model: model.id,
            runtime: runtime.name,
            threads: runtime.threads,
            batchSize,
            open: () => runtime.open(bytes.get(model.id)!, inputs),
          })),
        ),
    );
    const results = await timeJobs(jobs, plan.seconds, (share, i) => {
      status.textContent = `${Math.floor(100 * share)} %: ${jobs[i]!.model} in ${jobs[i]!.runtime} …`;
    });
    const rows: PostedRow[] = [];
    jobs.forEach(({ model, runtime, threads, batchSize }, i) => {
      const { sessions, failure } = results[i]!;
      if (failure !== undefined) skipped.push({ what: `${model} in ${runtime}`, why: failure });
      else rows.push({ model, runtime, threads, batchSize, sessions: sessions.map((times) => times.map(rounded)) });
    });
    status.textContent = await send({ device: element('device').value, rows: shortened(rows), skipped });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    status.textContent = `That went wrong: ${why}`;
    // In a page that measures automatically, nobody reads it: the result goes to the waiting program.
    const what = 'this browser';
    if (parameters.has('auto'))
      await send({ device: element('device').value, rows: [], skipped: [{ what, why }] }).catch(() => undefined);
  }
  button.disabled = false;
}

/** The server accepts a message of a megabyte. Runs of a session are similar, so fewer of them suffice. */
const MOST_TIMES = 80_000;

function shortened(rows: readonly PostedRow[]): PostedRow[] {
  const sessions = rows.reduce((sum, row) => sum + row.sessions.length, 0);
  const most = Math.max(1, Math.floor(MOST_TIMES / Math.max(1, sessions)));
  return rows.map((row) => ({ ...row, sessions: row.sessions.map((times) => times.slice(0, most)) }));
}

function rounded(ms: number): number {
  return Number(ms.toPrecision(5));
}

async function send(posted: Posted): Promise<string> {
  const response = await fetch('rows', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...posted, skipped: posted.skipped.map(cut) }),
  });
  if (!response.ok) throw new Error(await response.text());
  const { rows, message } = (await response.json()) as { rows: Shown[]; message: string };
  show(
    rows.map(({ model, runtime, batchSize, threads, p50Ms, p95Ms }) => {
      return [model, runtime, String(batchSize), String(threads), p50Ms.toPrecision(3), p95Ms.toPrecision(3)];
    }),
    posted.skipped,
  );
  return message;
}

/** Truncated to the server's limits. */
function cut({ what, why }: Posted['skipped'][number]): Posted['skipped'][number] {
  return { what: what.slice(0, 300), why: why.slice(0, 2000) };
}

function show(rows: readonly string[][], skipped: Posted['skipped']): void {
  const body = element('rows');
  body.textContent = '';
  for (const row of rows) {
    const line = document.createElement('tr');
    for (const text of row) {
      const cell = document.createElement('td');
      cell.textContent = text;
      line.append(cell);
    }
    body.append(line);
  }
  const list = element('skipped');
  list.textContent = '';
  for (const { what, why } of skipped) {
    const item = document.createElement('li');
    item.textContent = `${what}: ${why}`;
    list.append(item);
  }
  element('result').hidden = false;
}

/** A readable name of the device, as far as the browser reveals it. */
async function deviceName(): Promise<string> {
  const agent = navigator.userAgent;
  const { model } = (await navigator.userAgentData?.getHighEntropyValues(['model']).catch(() => undefined)) ?? {};
  if (model !== undefined && model !== '') return model;
  const [, android] = /Android [^;]*; ([^;)]{2,})\)/.exec(agent) ?? [];
  const apple = /iPhone|iPad/.exec(agent)?.[0];
  const [, chrome] = /Chrome\/(\d+)/.exec(agent) ?? [];
  return android ?? apple ?? (chrome !== undefined ? `Chrome ${chrome}` : 'browser');
}

element('start').addEventListener('click', () => void measure());
element('device').value = parameters.get('device') ?? (await deviceName());
element('start').disabled = false;
if (parameters.has('auto')) void measure();
