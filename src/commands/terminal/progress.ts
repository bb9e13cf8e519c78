import type { EpochEvent, OnEvent, ProgressEvent, RunEvent } from '../../base/events.ts';
import { eventText, scoreOfEvent } from '../../watch/events.ts';
import { CLEAR_LINE, openLog } from '../context.ts';
import type { CommandContext } from '../context.ts';
import { fittedToWidth } from './wrapped.ts';

export interface Display {
  readonly onEvent: OnEvent;
  readonly close: () => Promise<void>;
}

/** Shows events as lines, and progress as a bar below them in a terminal. */
export async function showEvents(context: CommandContext): Promise<Display> {
  const hasBar = context.isTerminal && !context.json && context.verbosity !== 'quiet';
  const isDue = epochThrottle();
  let bar = '';
  const log = await openLog({
    ...context,
    note: (text) => {
      const lines = fittedToWidth(text, context);
      context.note(bar === '' ? lines : `${CLEAR_LINE}${lines}${bar}`);
    },
  });
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'progress') {
      if (!hasBar) return;
      bar = barText(event, context.columns);
      context.note(`${CLEAR_LINE}${bar}`);
      return;
    }
    if (event.type === 'done' || event.type === 'stage') endBar();
    if (event.type === 'epoch' && !isDue(event)) return;
    const text = eventText(event);
    const level = event.type === 'warning' ? 'warn' : 'info';
    if (text !== undefined) log.write(level, text);
    else if (event.type === 'saved') log.write('debug', `  saved ${event.file}`);
  };
  const endBar = (): void => {
    if (bar !== '') context.note(CLEAR_LINE);
    bar = '';
  };
  return {
    onEvent,
    close: async () => {
      endBar();
      await log.close();
    },
  };
}

/** Epochs of a few milliseconds are not shown each: only the first and last of a stage, and one a second between. */
function epochThrottle(): (event: EpochEvent) => boolean {
  const shownAt = new Map<string, number>();
  return ({ stage, trial, epoch, epochs, seconds }) => {
    const key = `${trial ?? ''} ${stage}`;
    const before = shownAt.get(key);
    const isDue = before === undefined || epoch === epochs || seconds < before || seconds - before >= 1;
    if (isDue) shownAt.set(key, seconds);
    return isDue;
  };
}

/**
 * `[#####-----] 50 % 12 s left loss 0.4312 84.10 % epoch 2.5/5 10,400 samples/s`: most important first. A narrow terminal gets a shorter bar, and as
 * much of the rest as fits.
 */
export function barText(event: ProgressEvent, columns: number): string {
  const share = event.total === 0 ? 1 : event.done / event.total;
  const width = columns >= 100 ? 24 : columns >= 60 ? 10 : 0;
  const filled = Math.round(share * width);
  const parts = [
    ...(width === 0 ? [] : [`[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`]),
    `${String(Math.floor(100 * share)).padStart(3)} %`,
    `${timeLeft(event.secondsLeft)} left`,
    ...(event.loss === undefined ? [] : [`loss ${event.loss.toFixed(4)}`]),
    ...(event.score === undefined ? [] : [scoreOfEvent(event)(event.score)]),
    event.epoch === undefined
      ? `${event.what === undefined ? '' : `${event.what} `}${event.done}/${event.total}`
      : `epoch ${event.epoch.toFixed(1)}/${event.epochs ?? ''}`,
    ...(event.samplesPerSecond === undefined
      ? []
      : [`${Math.round(event.samplesPerSecond).toLocaleString('en-US')} samples/s`]),
  ];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (longer.length > columns - 1) break;
    line = longer;
  }
  return line;
}

export function timeLeft(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
