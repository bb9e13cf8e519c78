import '../../features.ts';
import { monotonicMs } from '../../base/clock.ts';
import { watchOver } from '../../base/process/watchdog.ts';
import { Refusal } from '../refusal.ts';
import { readFrame, writeParts } from '../worker/blocking.ts';
import { framed } from '../worker/frames.ts';
import { loadForm } from '../v1/forms.ts';
import { done } from './jobs.ts';
import { MOST_BYTES } from './limits.ts';
import { packedParts, valueIn } from './messages.ts';
import type { BatchMessage, JobContent, ReadingOutcome } from './messages.ts';
import type { ReadingModel } from './model.ts';

/** The process that reads bodies and writes answers, one at a time. Whatever is in them, nothing but this process ends by it. */
const [IN, OUT] = [0, 3];

/** Milliseconds after which the outcomes of jobs are told, though others of their message are not done. */
const TOGETHER_MS = 2;

/** The models that it has been told of, by name; a newer one replaces the one before. */
const models = new Map<string, ReadingModel>();

async function outcomeOf({ kind, name, model, given }: JobContent): Promise<ReadingOutcome> {
  try {
    if (model !== undefined) {
      if (model.described !== undefined) await loadForm(model.described);
      models.set(name, model);
    }
    return { found: await done(kind, models.get(name)!, given as never) };
  } catch (error) {
    if (!(error instanceof Refusal)) return { bug: String((error as Error).stack ?? error) };
    const { status, message, reason } = error;
    return { refusal: { status, message, reason } };
  }
}

function tell(outcomes: readonly ReadingOutcome[]): void {
  const { sizes, parts } = packedParts(outcomes);
  writeParts(OUT, framed({ sizes }, parts));
}

watchOver({ mostBytes: MOST_BYTES, withParent: true });

for (;;) {
  const began = readFrame(IN);
  if (began === undefined) process.exit(0);
  const jobs = valueIn(began.head as BatchMessage, began.body) as JobContent[];
  let since = monotonicMs();
  let outcomes: ReadingOutcome[] = [];
  for (const [i, job] of jobs.entries()) {
    outcomes.push(await outcomeOf(job));
    // Told together where they take little: most of their time is the way there and back.
    if (i < jobs.length - 1 && monotonicMs() - since < TOGETHER_MS) continue;
    tell(outcomes);
    [outcomes, since] = [[], monotonicMs()];
  }
}
