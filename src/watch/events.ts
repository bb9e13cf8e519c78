import { percent } from '../base/numbers.ts';
import { scoreOfTask } from '../tasks/registry.ts';
import type { Score } from '../tasks/score.ts';
import type { OfTask, RunEvent } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import { trafficText } from './traffic.ts';

/** Writes an event to the machine log, except progress, which comes several times a second. */
export function logEvent(log: Log, event: RunEvent): void {
  if (event.type === 'progress') return;
  const { type, ...fields } = event;
  log.write(type === 'warning' ? 'warn' : 'info', eventText(event)?.trim() ?? type, {
    event: type,
    ...without(fields, 'message'),
  });
}

function without(fields: object, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
}

/** Line of text for an event; undefined for events that only a progress bar shows. */
export function eventText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'run':
      return `${event.resumed ? 'resuming' : 'running'} ${event.name} in ${event.folder}`;
    case 'stage':
      return event.resumedAt === undefined ? event.title : `${event.title}, from ${event.resumedAt}`;
    case 'epoch': {
      const score = scoreOfEvent(event);
      const validation = event.validation === undefined ? '' : `  validation ${score(event.validation)}`;
      return (
        `  ${event.isBeside === true ? `${event.stage}: ` : ''}epoch ${event.epoch}/${event.epochs}  loss ${event.loss.toFixed(4)}${event.score === undefined ? '' : `  train ${score(event.score)}`}` +
        `${validation}  ${event.seconds.toFixed(1)} s`
      );
    }
    case 'done': {
      const { validation, test } = event.figures.score ?? {};
      const score = scoreOfEvent(event);
      const figures = [
        ...(validation === undefined ? [] : [`validation ${score(validation)}`]),
        ...(test === undefined ? [] : [`test ${score(test)}`]),
        `${event.seconds.toFixed(1)} s`,
        // A shorter wait needs no action.
        ...((event.dataWait ?? 0) < 0.1 ? [] : [`${percent(event.dataWait!)} of it waiting for data`]),
        ...(event.traffic === undefined ? [] : [trafficText(event.traffic)]),
      ];
      return `  ${event.stage}: ${figures.join(', ')}`;
    }
    case 'message':
    case 'warning':
      return event.message;
    case 'progress':
    case 'saved':
      return undefined;
  }
}

/** Text of a score, with its name unless it is accuracy. */
export function scoreOfEvent(event: OfTask): (value: number) => string {
  const score = eventScore(event);
  return (value) => (score.isShareRight ? score.text(value) : `${score.name} ${score.text(value)}`);
}

/** Name of the score in metrics and curves, such as `accuracy` or `rmse`. */
export function metricOfEvent(event: OfTask): string {
  return eventScore(event).name.toLowerCase().replace(/ /g, '_');
}

/** The score that an event has values of. */
export function eventScore({ task, metric }: OfTask): Score {
  return scoreOfTask(task, metric);
}
