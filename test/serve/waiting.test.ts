import { RandomStream } from '../../src/base/random.ts';
import { decide } from '../../src/serve/batch/policy.ts';
import type { Decision, Situation } from '../../src/serve/batch/policy.ts';
import { DEFAULT_BATCHING } from '../../src/serve/serve.ts';

/** One worker whose call takes `fixed + perSample · n` ms, in virtual time. */
interface Machine {
  readonly fixed: number;
  readonly perSample: number;
}

/** Requests at moments of a Poisson process, a share of what full batches could answer; or clients that ask again after 0.3 ms. */
type Load = { readonly share: number } | { readonly clients: number };

/** What to do with `now`; `gap`: mean ms between the latest requests, or the silence since where that is longer. */
type Rule = (now: Situation, gap: number, machine: Machine) => Decision;

const never: Rule = (now) => decide(now, DEFAULT_BATCHING);
const fixedWait: Rule = (now, _, { fixed }) => decide(now, { ...DEFAULT_BATCHING, maxDelayMs: fixed / 2 });
/** Waits while one more request is sooner here than it saves: (n + 1) · gap < fixed. */
const expecting: Rule = (now, gap, { fixed }) => {
  const waits = (now.samples + 1) * gap < fixed && now.samples < DEFAULT_BATCHING.maxBatch;
  const waitMs = waits ? Math.min(fixed - now.oldestWaitMs, fixed / (now.samples + 1)) : 0;
  return waitMs > 0 ? { waitMs } : { run: DEFAULT_BATCHING.maxBatch };
};

function simulated(rule: Rule, machine: Machine, load: Load, seconds = 20) {
  const random = new RandomStream('arrivals');
  const perMs = 'share' in load ? (load.share * 64) / (machine.fixed + 64 * machine.perSample) : 0;
  const coming = 'share' in load ? [0] : Array.from({ length: load.clients }, (_, i) => i / 100);
  const queue: number[] = [];
  const latencies: number[] = [];
  let running: { readonly until: number; readonly since: number[] } | undefined;
  let [look, last, gap] = [Infinity, -Infinity, Infinity];
  for (;;) {
    const now = Math.min(coming[0] ?? Infinity, running?.until ?? Infinity, look);
    if (now > 1000 * seconds) break;
    if (look <= now) look = Infinity;
    if (running !== undefined && running.until <= now) {
      latencies.push(...running.since.map((since) => now - since));
      if ('clients' in load) coming.push(...running.since.map(() => now + 0.2 + 0.2 * random.uniform()));
      coming.sort((a, b) => a - b);
      running = undefined;
    }
    while (coming.length > 0 && coming[0]! <= now) {
      queue.push(coming.shift()!);
      gap = Number.isFinite(gap) ? gap + (now - last - gap) / 16 : now - last;
      last = now;
      if ('share' in load) coming.push(now - Math.log(1 - random.uniform()) / perMs);
    }
    if (running !== undefined || queue.length === 0) continue;
    const situation = { samples: queue.length, oldestWaitMs: now - queue[0]!, slackMs: Infinity };
    const decision = rule(situation, Math.max(gap, now - last), machine);
    look = 'waitMs' in decision ? now + Math.max(0.001, decision.waitMs) : Infinity;
    if ('waitMs' in decision) continue;
    const since = queue.splice(0, decision.run);
    running = { since, until: now + machine.fixed + machine.perSample * since.length };
  }
  const sorted = latencies.sort((a, b) => a - b);
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
  return { rate: sorted.length / seconds, mean, p99: sorted[Math.floor(0.99 * sorted.length)]! };
}

const machines: Machine[] = [
  { fixed: 0.1, perSample: 1 },
  { fixed: 0.45, perSample: 0.1 },
  { fixed: 10, perSample: 1 },
];

describe('a batcher that never waits, simulated', () => {
  it.each(machines)(
    'is within 2 %% of a rule that expects the next request, at any load of $fixed + $perSample·n',
    (machine) => {
      for (const load of [0.1, 0.3, 0.5, 0.8, 0.95].map((share) => ({ share }))) {
        const [idle, wise] = [simulated(never, machine, load), simulated(expecting, machine, load)];
        expect(idle.p99).toBeLessThan(1.02 * wise.p99);
        expect(idle.mean).toBeLessThan(1.02 * wise.mean);
      }
      for (const load of [2, 8, 64].map((clients) => ({ clients }))) {
        expect(simulated(never, machine, load).rate).toBeGreaterThan(0.99 * simulated(expecting, machine, load).rate);
      }
    },
  );

  it('answers sooner than one that waits half of the fixed cost where requests are rare', () => {
    const machine = machines[2]!;
    expect(simulated(fixedWait, machine, { share: 0.1 }).mean).toBeGreaterThan(
      1.08 * simulated(never, machine, { share: 0.1 }).mean,
    );
  });

  it('loses to a fixed wait where all clients ask again at once, which is what --max-delay is for', () => {
    const machine = machines[2]!;
    expect(simulated(fixedWait, machine, { clients: 8 }).rate).toBeGreaterThan(
      1.15 * simulated(never, machine, { clients: 8 }).rate,
    );
  });
});
