import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of the module `name` beside the module `from` (its `import.meta.url`), to be started as a process or worker. Both run compiled code, or
 * TypeScript whose types Node strips; undefined elsewhere (in tests).
 */
export function entryBeside(from: string, name: string): string | undefined {
  const compiled = from.endsWith('.js');
  if (!compiled && !('typescript' in process.features && process.features.typescript)) return undefined;
  const entry = new URL(`./${name}.${compiled ? 'js' : 'ts'}`, from);
  return entry.protocol === 'file:' && existsSync(entry) ? fileURLToPath(entry) : undefined;
}
