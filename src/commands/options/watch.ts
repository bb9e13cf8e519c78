import type { OnEvent } from '../../base/events.ts';
import type { FlagValues, Flags } from '../../base/flags.ts';
import type { RunProcesses } from '../../run/options.ts';
import { WATCHERS } from './watchers.ts';
import type { Watchers } from './watchers.ts';

/** All watchers, which a command that watches a run has loaded. */
const all = () => WATCHERS.names().map((name) => WATCHERS.of(name));

/** Options of all watchers. */
export function watchOptions(): Flags {
  return Object.assign({}, ...all().map(({ options }) => options)) as Flags;
}

/** Opens the watchers that the options ask for, loading only their packages. `UserError` for a port that cannot be opened. */
export async function openWatchers(args: FlagValues, tell: OnEvent, processes?: RunProcesses): Promise<Watchers> {
  const opened: Watchers[] = [];
  const isFirst = (processes?.rank ?? 0) === 0;
  for (const { open, ofEachProcess = false } of all()) {
    if (!isFirst && !ofEachProcess) continue;
    const watcher = await open(args, tell, processes).catch(async (error: unknown) => {
      for (const { close } of opened) await close();
      throw error;
    });
    if (watcher !== undefined) opened.push(watcher);
  }
  return {
    onEvent: (event) => opened.forEach(({ onEvent }) => onEvent(event)),
    close: async (error) => {
      for (const { close } of opened) await close(error);
    },
  };
}

/** `UserError` for a number that is no port. */
export async function checkPort(option: string, port: number | undefined): Promise<void> {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= 65535)) return;
  const { UserError } = await import('../../base/errors.ts');
  throw new UserError(
    `--${option}: expected a port from 0 to 65535, received ${port}`,
    'Choose another port, or 0 for a free one.',
  );
}
