import { parsedJson } from '../../base/json.ts';
import { z } from 'zod';

/** Entry in the metadata of a file that was accepted although it is beyond the budget of its precision. */
const entrySchema = z.object({ accepted: z.array(z.string()) });

/** Metadata with the accepted deviations under `check`, after those of the file that this one was made from. */
export function withCheck(metadata: ReadonlyMap<string, string>, accepted: readonly string[]): Map<string, string> {
  const entry = { accepted: [...acceptedIn(metadata), ...accepted] };
  return new Map([...metadata, ['check', JSON.stringify(entry)]]);
}

/** Reasons for people, one for each output; empty for a file within its budget, and for files made by others. */
export function acceptedIn(metadata: ReadonlyMap<string, string>): readonly string[] {
  let content: unknown;
  try {
    content = parsedJson(metadata.get('check') ?? 'null');
  } catch {
    return [];
  }
  return entrySchema.safeParse(content).data?.accepted ?? [];
}
