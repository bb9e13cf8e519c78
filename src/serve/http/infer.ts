import type { ServedModel } from '../model.ts';
import { refuseLong } from '../json.ts';
import { elementsOf } from '../dtypes.ts';
import { asked } from '../reading/model.ts';
import { Refusal } from '../refusal.ts';
import type { ParsedRequest } from '../v2/request.ts';
import { refuseLargeAnswer } from '../answer-size.ts';
import type { Call, Site } from './call.ts';
import type { Reply } from './reply.ts';

const LENGTH = 'inference-header-content-length';

/** `POST /v2/models/M/infer`: JSON, or JSON and binary tensors. */
export async function inferReply(
  { host, maxJson }: Site,
  model: ServedModel,
  { request, body, client, held }: Call,
): Promise<Reply> {
  const given = headerLength(request.headers[LENGTH]);
  const bytes = await body(given === undefined ? 'json' : 'binary');
  refuseLong(given ?? 0, maxJson);
  const { reader } = host;
  const json = bytes.subarray(0, given ?? bytes.length);
  const job = { body: bytes, headerLength: given };
  const { request: toInfer, ...parsed } = await reader.run('request', asked(model), job, { client, json });
  const asText = toInfer.outputs.filter((name) => isText(parsed, name));
  refuseLargeAnswer(model, toInfer, asText);
  const { outputs } = await host.infer(model, { ...toInfer, client });
  held.outputs(outputs);
  const values = outputs.reduce((sum, one) => sum + (asText.includes(one.name) ? elementsOf(one.shape) : 0), 0);
  const { parts, headerLength: length } = await reader.run(
    'answer',
    asked(model),
    { parsed, outputs },
    { client, values },
  );
  if (length === undefined) return { headers: { 'content-type': 'application/json' }, body: parts };
  return { headers: { 'content-type': 'application/octet-stream', [LENGTH]: String(length) }, body: parts };
}

/** True for an output that is written as text, or sorted: both take time for each value. */
function isText({ wanted, allBinary }: Pick<ParsedRequest, 'wanted' | 'allBinary'>, name: string): boolean {
  const { binary, classes } = wanted.get(name) ?? { binary: allBinary, classes: 0 };
  return !binary || classes > 0;
}

function headerLength(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,10}$/.test(given)) return Number(given);
  throw new Refusal(
    400,
    `Inference-Header-Content-Length: expected a whole number, received ${String(given).slice(0, 40)}`,
  );
}
