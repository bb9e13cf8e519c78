import type { Log } from '../base/log.ts';
import type { Traffic } from '../runtime/traffic.ts';
import type { Figures } from './ledger.ts';
import { trafficText } from './traffic.ts';

/** What a run tells while it works. Times are seconds, accuracies fractions. */
export type RunEvent =
  | { readonly type: 'run'; readonly name: string; readonly folder: string; readonly resumed: boolean }
  | StageEvent
  | ProgressEvent
  | EpochEvent
  | DoneEvent
  | (OfStage & { readonly type: 'saved'; readonly file: string })
  | { readonly type: 'message'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string };

interface OfStage {
  /** As the ledger names it. */
  readonly stage: string;
  /** In a search: the candidate and round that the stage belongs to, as its folder is named. */
  readonly trial?: string;
}

export interface StageEvent extends OfStage {
  readonly type: 'stage';
  /** Absent of what takes a moment, which its `done` tells people about. */
  readonly title?: string;
  readonly resumedAt?: string;
  /** Where a training begins, 0 unless it was resumed. */
  readonly step?: number;
}

export interface DoneEvent extends OfStage {
  readonly type: 'done';
  readonly figures: Figures;
  readonly seconds: number;
  /** Of a training: the share of its time that steps waited for their data. */
  readonly dataWait?: number;
  /** What went to and from the device, if it has memory of its own. */
  readonly traffic?: Traffic;
}

/** Several times a second at most. */
export interface ProgressEvent extends OfStage {
  readonly type: 'progress';
  /** Units of work done and in all: training steps, or batches of the teacher. */
  readonly done: number;
  readonly total: number;
  /** Epochs done, with fraction; absent where the stage has none. */
  readonly epoch?: number;
  readonly epochs?: number;
  readonly loss?: number;
  readonly accuracy?: number;
  readonly samplesPerSecond: number;
  /** Of a unit of work, since the progress was told last. */
  readonly secondsPerStep?: number;
  readonly secondsLeft: number;
}

export interface EpochEvent extends OfStage {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Training steps done. */
  readonly step: number;
  readonly loss: number;
  /** On the training batches as they came, before each update. */
  readonly accuracy: number;
  readonly validation?: number;
  readonly seconds: number;
}

export type OnEvent = (event: RunEvent) => void;

/** The machine log has everything but the several-times-a-second progress. */
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

/** The line that says an event to people; undefined for those that only a progress bar shows. */
export function eventText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'run':
      return `${event.resumed ? 'resuming' : 'running'} ${event.name} in ${event.folder}`;
    case 'stage':
      return event.resumedAt === undefined ? event.title : `${event.title}, from ${event.resumedAt}`;
    case 'epoch': {
      const validation = event.validation === undefined ? '' : `  validation ${percent(event.validation)}`;
      return (
        `  epoch ${event.epoch}/${event.epochs}  loss ${event.loss.toFixed(4)}  train ${percent(event.accuracy)}` +
        `${validation}  ${event.seconds.toFixed(1)} s`
      );
    }
    case 'done': {
      const { validation, test } = event.figures.accuracy ?? {};
      const figures = [
        ...(validation === undefined ? [] : [`validation ${percent(validation)}`]),
        ...(test === undefined ? [] : [`test ${percent(test)}`]),
        `${event.seconds.toFixed(1)} s`,
        // Below that nobody needs to act.
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

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
