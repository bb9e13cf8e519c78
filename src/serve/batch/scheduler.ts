import { epochSeconds, monotonicMs } from '../../base/clock.ts';
import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { Timings } from '../statistics.ts';
import type { Pool } from '../worker/pool.ts';
import { RunFailed, WorkerEnded } from '../worker/process.ts';
import type { RunAnswer, WorkerProcess } from '../worker/process.ts';
import { refuseIfHopeless, withdrawLate } from './deadlines.ts';
import { answerShares } from './outcome.ts';
import { decide, mostWithin } from './policy.ts';
import type { InferAnswer, InferRequest, Waiting } from './queue.ts';

/** Listener to each request that was answered, for histograms. */
export type OnAnswered = (model: ServedModel, timings: Timings, samples: number) => void;

/** Timers count whole milliseconds: what is shorter is waited for by looking again at every turn of the event loop. */
const TIMER_MS = 2;

/**
 * Batches that a worker may have: beside the one that it runs, one that lies ready when that ends. Only a full one is given
 * ahead, for others may still grow while they wait.
 */
const AHEAD = 2;

/** Scheduler: puts requests together and gives them to workers. The model whose first request has waited longest is next. */
export class Scheduler {
  readonly #pool: Pool;
  readonly #models: () => Iterable<ServedModel>;
  readonly #onAnswered: OnAnswered;
  #planned = false;
  #timer: NodeJS.Timeout | undefined;
  /** Requests that are waiting or running. */
  pending = 0;
  #onIdle: (() => void)[] = [];

  constructor(pool: Pool, models: () => Iterable<ServedModel>, onAnswered: OnAnswered) {
    this.#pool = pool;
    this.#models = models;
    this.#onAnswered = onAnswered;
  }

  /** `Refusal` where it cannot be answered, or not in time. */
  infer(model: ServedModel, request: InferRequest): Promise<InferAnswer> {
    const arrivedMs = monotonicMs();
    const latency = request.timeoutMs ?? model.options.maxLatencyMs ?? Infinity;
    return new Promise<InferAnswer>((resolve, reject) => {
      const waiting: Waiting = {
        request,
        arrivedMs,
        deadlineMs: arrivedMs + latency,
        again: false,
        group: groupOf(request),
        resolve: (answer) => this.#settle(() => resolve(answer)),
        reject: (error) => {
          model.statistics.failed(error instanceof Refusal ? error.reason : 'OTHER', monotonicMs() - arrivedMs);
          this.#settle(() => reject(error));
        },
      };
      this.pending++;
      const refusal = refuseIfHopeless(model, waiting, this.#pool, arrivedMs);
      if (refusal !== undefined) waiting.reject(refusal);
      else {
        model.queue.add(waiting);
        this.wake();
      }
    });
  }

  /** Look for work at the end of this turn, when all requests that have come by then are here. */
  wake(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#pump();
    });
  }

  /** Resolves when nothing is waiting or running. */
  async idle(): Promise<void> {
    if (this.pending > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #settle(tell: () => void): void {
    this.pending--;
    tell();
    if (this.pending === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const worker = this.#pool.free(AHEAD);
      if (worker === undefined) return;
      const { now, waitMs } = this.#next(worker.busy > 0);
      if (now === undefined) {
        if (waitMs < TIMER_MS) this.wake();
        else if (waitMs !== Infinity) this.#timer = setTimeout(() => this.wake(), Math.floor(waitMs));
        return;
      }
      now.model.queue.remove(now.together);
      void this.#run(worker, now.model, now.together);
    }
  }

  /** Requests to run now, or the longest time to wait until there are some. */
  #next(onlyFull: boolean): { now?: { model: ServedModel; together: readonly Waiting[] }; waitMs: number } {
    const nowMs = monotonicMs();
    let best: { model: ServedModel; together: readonly Waiting[] } | undefined;
    let waitMs = Infinity;
    for (const model of this.#models()) {
      if (model.queue.requests === 0) continue;
      withdrawLate(model, nowMs);
      const found = ready(model, nowMs, onlyFull);
      if (found === undefined) continue;
      if ('waitMs' in found) waitMs = Math.min(waitMs, found.waitMs);
      else if (best === undefined || found.together[0]!.arrivedMs < best.together[0]!.arrivedMs) {
        best = { model, together: found.together };
      }
    }
    return { ...(best !== undefined && { now: best }), waitMs };
  }

  async #run(worker: WorkerProcess, model: ServedModel, together: readonly Waiting[]): Promise<void> {
    const { inputs } = together[0]!.request;
    const samples = together.reduce((sum, { request }) => sum + request.samples, 0);
    const heads = inputs.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: together.length === 1 ? shape : [samples, ...shape.slice(1)],
    }));
    const outputs = [...new Set(together.flatMap(({ request }) => request.outputs))];
    const parts = inputs.map((_, i) => together.map(({ request }) => request.inputs[i]!.bytes));
    try {
      const mostBytes = model.limits.bytes * together.length;
      const answer = await worker.run({ key: model.key, inputs: heads, outputs, mostBytes }, parts);
      this.#answer(model, together, answer, samples);
    } catch (error) {
      this.#failed(model, together, error);
    }
    this.wake();
  }

  #answer(model: ServedModel, together: readonly Waiting[], answer: RunAnswer, samples: number): void {
    const own = answerShares(model, together, answer.outputs);
    const { inputMs, inferMs, beganMs, totalMs } = answer;
    const timings = { inputMs, inferMs, outputMs: Math.max(0, totalMs - inputMs - inferMs) };
    model.cost.add(samples, totalMs);
    model.statistics.executed(samples, timings);
    const now = epochSeconds() * 1000;
    together.forEach((waiting, i) => {
      const all = { ...timings, queueMs: beganMs - waiting.arrivedMs };
      model.statistics.answered(waiting.request.samples, all, now);
      this.#onAnswered(model, all, waiting.request.samples);
      waiting.resolve({ outputs: own[i]! });
    });
  }

  /**
   * Handling of a failed call. Any of its requests may have caused it, so each gets one more try, alone. A call of one request that the
   * model itself refused is not repeated: it would only be refused again.
   */
  #failed(model: ServedModel, together: readonly Waiting[], error: unknown): void {
    const again = together.filter((waiting) => !waiting.again && (error instanceof WorkerEnded || together.length > 1));
    const message = error instanceof Error ? error.message : String(error);
    for (const waiting of together) {
      if (again.includes(waiting)) continue;
      const [status, text] =
        error instanceof RunFailed
          ? [400, `model ${model.name} could not run on this request: ${message}`]
          : [503, `model ${model.name} was stopped while it ran on this request: ${message}`];
      waiting.reject(new Refusal(status, text, { reason: 'BACKEND' }));
    }
    model.queue.addFirst(again.map((waiting) => ({ ...waiting, again: true })));
  }
}

/** Requests with the same sizes inside of a sample can be put together. */
function groupOf({ inputs }: InferRequest): string {
  return inputs.map(({ shape }) => shape.slice(1).join()).join(';');
}

/** The requests of a model to run now, or how long to wait. `onlyFull`: nothing but a full batch. */
function ready(
  model: ServedModel,
  nowMs: number,
  onlyFull: boolean,
): { together: readonly Waiting[] } | { waitMs: number } | undefined {
  const { queue, options, maxBatch, cost } = model;
  const { found: together, full } = queue.together(maxBatch);
  const [first] = together;
  if (first === undefined || (onlyFull && !full)) return undefined;
  const samples = together.reduce((sum, { request }) => sum + request.samples, 0);
  const deadline = together.reduce((least, { deadlineMs }) => Math.min(least, deadlineMs), Infinity);
  const leftMs = deadline - nowMs;
  const most = mostWithin(leftMs, cost.cost);
  if (full) return { together: most >= samples ? together : queue.together(most).found };
  const decision = decide(
    { samples, oldestWaitMs: nowMs - first.arrivedMs, slackMs: leftMs - cost.of(samples) },
    options,
  );
  if ('waitMs' in decision) return decision;
  const run = Math.min(decision.run, most);
  return { together: run >= samples ? together : queue.together(run).found };
}
