import { shown } from '../../base/errors.ts';
import type { AskedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';

export type Parameters = Readonly<Record<string, unknown>>;

/** Parameters that mean something else here than what a client expects who sends them. */
const REFUSED: Readonly<Record<string, string>> = {
  sequence_id: 'models here keep no state between requests',
  sequence_start: 'models here keep no state between requests',
  sequence_end: 'models here keep no state between requests',
  shared_memory_region: 'shared memory is not supported: send the data with the request',
};

/** Priority and timeout that a request sets for the queue. */
export function schedulingOf(parameters: Parameters, { options }: Pick<AskedModel, 'options'>) {
  refuseUnsupported(parameters);
  const priority = wholeNumber(parameters, 'priority') ?? 0;
  if (priority > options.priorityLevels) {
    throw new Refusal(400, `parameter priority: expected at most ${options.priorityLevels}, received ${priority}`);
  }
  const timeout = wholeNumber(parameters, 'timeout') ?? 0;
  return { priority, ...(timeout > 0 && { timeoutMs: timeout / 1000 }) };
}

export function refuseUnsupported(parameters: Parameters): void {
  for (const [key, why] of Object.entries(REFUSED)) {
    const value = parameters[key];
    // Clients send these with the values that mean nothing.
    if (value === undefined || value === 0 || value === '0' || value === '' || value === false) continue;
    throw new Refusal(400, `parameter ${key}: ${why}`);
  }
}

/** Parameter that is a whole number of at least 0; gRPC sends some of them as text. */
export function wholeNumber(parameters: Parameters, key: string): number | undefined {
  const value = parameters[key];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new Refusal(400, `parameter ${key}: expected a whole number of at least 0, received ${shown(value)}`);
}
