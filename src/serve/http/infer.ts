import type { ServedModel } from '../model.ts';
import { refuseLong } from '../json.ts';
import { asked } from '../model.ts';
import { Refusal } from '../refusal.ts';
import { encodeAnswer } from '../v2/answer.ts';
import type { Call, Site } from './call.ts';
import type { Reply } from './reply.ts';

const LENGTH = 'inference-header-content-length';

/** `POST /v2/models/M/infer`: JSON, or JSON and binary tensors. */
export async function inferReply(
  { host, maxJson }: Site,
  model: ServedModel,
  { request, body, client }: Call,
): Promise<Reply> {
  const given = headerLength(request.headers[LENGTH]);
  const bytes = await body(given === undefined ? 'json' : 'binary');
  refuseLong(given ?? 0, maxJson);
  const job = { body: bytes, headerLength: given, model: asked(model) };
  const parsed = await host.reader.read('request', job, given ?? bytes.length);
  const { outputs } = await host.infer(model, { ...parsed.request, client });
  const { parts, headerLength: length } = encodeAnswer(model, parsed, outputs);
  if (length === undefined) return { headers: { 'content-type': 'application/json' }, body: parts };
  return { headers: { 'content-type': 'application/octet-stream', [LENGTH]: String(length) }, body: parts };
}

function headerLength(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,10}$/.test(given)) return Number(given);
  throw new Refusal(
    400,
    `Inference-Header-Content-Length: expected a whole number, received ${String(given).slice(0, 40)}`,
  );
}
