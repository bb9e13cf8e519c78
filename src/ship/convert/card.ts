import { z } from 'zod';

/** What is kept with a file that was accepted although it is beyond the budget of its precision. */
const entrySchema = z.object({ accepted: z.array(z.string()) });

/** Under `check` in the metadata of the file, after what was accepted of the file that it was made of. */
export function withCheck(metadata: ReadonlyMap<string, string>, accepted: readonly string[]): Map<string, string> {
  const entry = { accepted: [...acceptedIn(metadata), ...accepted] };
  return new Map([...metadata, ['check', JSON.stringify(entry)]]);
}

/** For people, output by output; empty for a file that is within its budget, and for those of others. */
export function acceptedIn(metadata: ReadonlyMap<string, string>): readonly string[] {
  let content: unknown;
  try {
    content = JSON.parse(metadata.get('check') ?? 'null');
  } catch {
    return [];
  }
  return entrySchema.safeParse(content).data?.accepted ?? [];
}
