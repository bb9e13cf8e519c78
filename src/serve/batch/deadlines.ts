import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { Pool } from '../worker/pool.ts';
import type { Waiting } from './queue.ts';

/** Refusal of a request that cannot be answered: no worker lives, the queue is full, or it would be late. Undefined if it is accepted. */
export function refuseIfHopeless(model: ServedModel, waiting: Waiting, pool: Pool, nowMs: number): Refusal | undefined {
  const { queue, options, name } = model;
  const refusal = (message: string, seconds: number): Refusal =>
    new Refusal(503, message, { reason: 'REJECTED', retryAfterSeconds: Math.max(1, Math.ceil(seconds)) });
  if (queue.requests >= options.maxQueue) {
    return refusal(
      `the queue of model ${name} is full: ${queue.requests} requests wait`,
      expectedMs(model, waiting, pool) / 1000,
    );
  }
  if (waiting.deadlineMs === Infinity || options.onTimeout === 'delay') return undefined;
  const expected = expectedMs(model, waiting, pool);
  const left = waiting.deadlineMs - nowMs;
  if (expected <= left) return undefined;
  return refusal(
    `model ${name} cannot answer within ${Math.round(left)} ms: expected are ${Math.round(expected)} ms`,
    (expected - left) / 1000,
  );
}

/** Milliseconds until a request that has just come would have its answer: what is before it, in full batches, and itself. */
function expectedMs({ queue, cost, maxBatch }: ServedModel, { request }: Waiting, pool: Pool): number {
  const samples = queue.samples + request.samples;
  const full = Math.floor(samples / maxBatch);
  const workers = Math.max(1, pool.workers.length);
  const running = pool.free() === undefined ? cost.of(Math.min(maxBatch, Math.max(1, queue.samples))) / 2 : 0;
  return running + (full * cost.of(maxBatch)) / workers + cost.of(samples - full * maxBatch);
}

/** Take requests out of the queue that nobody waits for, and those that are too late to begin. */
export function withdrawLate(model: ServedModel, nowMs: number): void {
  const { queue, options } = model;
  const gone = queue.filter(({ request }) => request.client?.aborted === true);
  queue.remove(gone);
  for (const { reject } of gone) reject(new Refusal(499, 'the client is gone', { reason: 'CANCELED' }));
  const late = queue.filter(
    ({ request, deadlineMs }) => deadlineMs !== Infinity && nowMs + model.cost.of(request.samples) > deadlineMs,
  );
  queue.remove(late);
  for (const waiting of late) {
    if (options.onTimeout === 'delay') queue.addLast({ ...waiting, deadlineMs: Infinity });
    else {
      const waited = Math.round(nowMs - waiting.arrivedMs);
      const message = `model ${model.name} could not answer in time: ${waited} ms in the queue`;
      waiting.reject(new Refusal(503, message, { reason: 'REJECTED', retryAfterSeconds: 1 }));
    }
  }
}
