import type { ModelHost } from '../host.ts';
import type { Held } from '../http/unread.ts';
import { asked } from '../reading/model.ts';
import { elementsOf } from '../dtypes.ts';
import { refuseLargeAnswer } from '../answer-size.ts';
import type { Glance } from './glance.ts';

export interface InferCall {
  readonly signal: AbortSignal;
  /** Milliseconds that the client waits at most. */
  readonly patienceMs: number;
  readonly isOfStream: boolean;
  /** Memory of the answer. */
  readonly held: Held;
}

/** The bytes of the answer. */
export async function inferMessage(
  host: ModelHost,
  body: Uint8Array,
  { name, version, typedBytes }: Glance,
  { signal: client, patienceMs, isOfStream, held }: InferCall,
): Promise<Uint8Array> {
  const model = host.model(name, version === '' ? undefined : version);
  const { reader } = host;
  const parsed = await reader.run('message', asked(model), body, { client, typedBytes });
  const { request, ...how } = parsed;
  const asText = how.isRaw ? request.outputs.filter((output) => (how.classes.get(output) ?? 0) > 0) : request.outputs;
  refuseLargeAnswer(model, request, asText);
  const timeoutMs = Math.min(patienceMs, request.timeoutMs ?? model.options.maxLatencyMs ?? Infinity);
  const { outputs } = await host.infer(model, { ...request, timeoutMs, client });
  held.outputs(outputs);
  const values = outputs.reduce((sum, one) => sum + (asText.includes(one.name) ? elementsOf(one.shape) : 0), 0);
  const answer = await reader.run('reply', asked(model), { outputs, isOfStream, ...how }, { client, values });
  held.left(answer.length, answer.length);
  return answer;
}
