import { Refusal } from '../refusal.ts';
import { readFrame, writeParts } from '../worker/blocking.ts';
import { framed } from '../worker/frames.ts';
import { watchOver } from '../worker/watchdog.ts';
import { done } from './jobs.ts';
import { MOST_BYTES } from './limits.ts';
import { packedParts, valueIn } from './messages.ts';
import type { JobContent, JobMessage, ReadingOutcome } from './messages.ts';
import type { ReadingModel } from './model.ts';

/** The process that reads bodies and writes answers, one at a time. Whatever is in them, nothing but this process ends by it. */
const [IN, OUT] = [0, 3];

/** The models that it has been told of, by name; a newer one replaces the one before. */
const models = new Map<string, ReadingModel>();

async function outcomeOf({ kind, name }: JobMessage, { model, given }: JobContent): Promise<ReadingOutcome> {
  if (model !== undefined) models.set(name, model);
  try {
    return { found: await done(kind, models.get(name)!, given as never) };
  } catch (error) {
    if (!(error instanceof Refusal)) return { bug: String((error as Error).stack ?? error) };
    const { status, message, reason } = error;
    return { refusal: { status, message, reason } };
  }
}

watchOver(MOST_BYTES);

for (;;) {
  const began = readFrame(IN);
  if (began === undefined) process.exit(0);
  const head = began.head as JobMessage;
  const { sizes, parts } = packedParts(await outcomeOf(head, valueIn(head, began.body) as JobContent));
  writeParts(OUT, framed({ sizes }, parts));
}
