import { randomUUID } from 'node:crypto';
import { epochSeconds } from '../../../base/clock.ts';
import type { FromWriter, Usage, WrittenPart } from './messages.ts';

/** Head of all objects of a completion. */
interface Head {
  readonly id: string;
  readonly object: 'text_completion';
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  /** The same for the same file. */
  readonly system_fingerprint: string;
}

export function completionHead(model: { readonly name: string; readonly sha256: string }): Head {
  const created = Math.floor(epochSeconds());
  const fingerprint = `fp_${model.sha256.slice(0, 12)}`;
  const id = `cmpl-${randomUUID()}`;
  return { id, object: 'text_completion', created, model: model.name, system_fingerprint: fingerprint };
}

type Messages = AsyncIterable<Extract<FromWriter, { type: 'part' | 'usage' }>>;

/** The answer in one piece. */
export async function wholeCompletion(head: Head, messages: Messages): Promise<object> {
  const choices: (ReturnType<typeof choiceOf> | undefined)[] = [];
  for await (const message of messages) {
    if (message.type === 'usage') return { ...head, choices, usage: usageOf(message.usage) };
    const { part } = message;
    const before = choices[part.index];
    choices[part.index] = { ...before, ...choiceOf(part), text: (before?.text ?? '') + part.text };
  }
  throw new Error('a completion ended without its numbers of tokens');
}

/** The answer as server-sent events, a part at a time. What goes wrong on the way is an event too: `errorBody`. */
export async function* streamedCompletion(
  head: Head,
  messages: Messages,
  withUsage: boolean,
  errorBody: (error: unknown) => object,
): AsyncGenerator<string, void, undefined> {
  const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
  const more = withUsage ? { usage: null } : {};
  try {
    for await (const message of messages) {
      if (message.type === 'part') yield event({ ...head, choices: [choiceOf(message.part)], ...more });
      else if (withUsage) yield event({ ...head, choices: [], usage: usageOf(message.usage) });
    }
    yield 'data: [DONE]\n\n';
  } catch (error) {
    yield event(errorBody(error));
  }
}

function choiceOf({ index, text, finish, words }: WrittenPart) {
  return { index, text, logprobs: null, finish_reason: finish ?? null, ...(words && { words }) };
}

function usageOf({ promptTokens, completionTokens }: Usage): object {
  const total = promptTokens + completionTokens;
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: total };
}
