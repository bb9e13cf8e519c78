import path from 'node:path';
import type { AddressedCall, Observe, ServerAddress, ServerObserver } from '../../../serve/observers.ts';
import { answers, jsonOf, objectOf, TEXT } from '../../../serve/http/openapi-schemas.ts';
import type { Reply } from '../../../serve/http/reply.ts';
import { refuseLetters } from '../../../serve/limits.ts';
import type { ServedModel } from '../../../serve/model.ts';
import { Refusal } from '../../../serve/refusal.ts';
import { statedText } from '../../../files/stated.ts';
import { completionRequest, KeyRefusal, requestSchema } from './request.ts';
import { completionHead, streamedCompletion, wholeCompletion } from './said.ts';
import { Writer } from './writer.ts';

/** `POST /v1/completions`, in the form of OpenAI's clients. */
export const observeServer: Observe = (_settings, log, pool): ServerObserver => {
  const entry = path.join(
    path.dirname(pool.entry),
    `../../answers/next-token/completions/process${path.extname(pool.entry)}`,
  );
  const writer = new Writer(entry, pool.callBytes, log);
  const address: ServerAddress = {
    path: ['v1', 'completions'],
    answer: (call) => completion(writer, call),
    errorBody,
    operation: (models) =>
      models.some(isOfTokens)
        ? {
            tags: ['Models'],
            operationId: 'completions',
            summary: 'Text behind a text, as OpenAI’s clients ask for it',
            requestBody: { required: true, content: jsonOf(requestSchema()) },
            ...answers('Text behind each prompt', objectOf({ id: TEXT, choices: { type: 'array' } })),
          }
        : undefined,
  };
  return { address, watches: () => false, onAnswer: () => undefined, close: () => writer.close() };
};

const isOfTokens = ({ metadata }: ServedModel): boolean => metadata.get('task') === 'next-token';

async function completion(writer: Writer, { request, body, client, model: find }: AddressedCall): Promise<Reply> {
  if (request.method !== 'POST')
    throw new Refusal(405, `${request.method} is not allowed at this address, expected POST`);
  const { model: name, prompts, writing, isStream, withUsage } = completionRequest(await body('json'));
  const model = find(name);
  const form = statedText(model.metadata);
  if (!isOfTokens(model) || form === undefined)
    throw new KeyRefusal('model', `${name} does not say which token comes next: ask it at /v1/${name}`);
  prompts.forEach((prompt, i) => refuseLetters(model.limits, form.length, i, prompt.length));
  const { key, file, sha256 } = model;
  const messages = writer.write({ key, file, sha256, prompts, writing }, client);
  const head = completionHead(model);
  if (!isStream) return { body: await wholeCompletion(head, messages) };
  // What is wrong with a request is said by its status, before the stream begins.
  const first = await messages.next();
  const all = withFirst(first, messages);
  return {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    stream: streamedCompletion(head, all, withUsage, (error) => errorBody(500, (error as Error).message, error)),
  };
}

async function* withFirst<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void, undefined>) {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** An error as OpenAI's clients read it. */
function errorBody(status: number, message: string, error: unknown): object {
  const type = status === 401 ? 'authentication_error' : status >= 500 ? 'server_error' : 'invalid_request_error';
  const code = status === 401 ? 'invalid_api_key' : status === 404 ? 'model_not_found' : null;
  return { error: { message, type, param: error instanceof KeyRefusal ? error.key : null, code } };
}
