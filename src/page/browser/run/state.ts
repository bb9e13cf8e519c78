import type { DoneEvent, EpochEvent, ProgressEvent, RunEvent, StageEvent } from '../../../base/events.ts';
import { accuracyScore, scoreFrom } from '../../../tasks/score.ts';
import type { Score } from '../../../tasks/score.ts';
import type { RunEnd, Told } from '../../run/log.ts';

interface Stage {
  readonly name: string;
  title: string | undefined;
  /** Seconds of a stage that has ended. */
  seconds: number | undefined;
  figures: DoneEvent['figures'];
}

export interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  readonly score?: number | undefined;
  readonly validation?: number | undefined;
}

/** A run as far as the page knows it. */
export interface RunState {
  name: string | undefined;
  folder: string | undefined;
  score: Score;
  /** In the order in which they began. */
  readonly stages: Map<string, Stage>;
  current: string | undefined;
  /** Epochs by number, by stage. */
  readonly curves: Map<string, Map<number, Epoch>>;
  readonly messages: { readonly level: 'message' | 'warning'; readonly text: string }[];
  progress: ProgressEvent | undefined;
  end: RunEnd | undefined;
}

export function emptyState(): RunState {
  return {
    name: undefined,
    folder: undefined,
    current: undefined,
    progress: undefined,
    end: undefined,
    score: accuracyScore,
    stages: new Map(),
    curves: new Map(),
    messages: [],
  };
}

/** Add what the run told since the last time. */
export function addTold(state: RunState, { before, events, progress, end }: Told): void {
  for (const { stage, seconds, score } of before?.stages ?? []) {
    Object.assign(stageOf(state, stage), { seconds, figures: score === undefined ? {} : { score } });
  }
  for (const { stage, epochs } of before?.training ?? []) {
    for (const epoch of epochs) curveOf(state, stage).set(epoch.epoch, epoch);
  }
  for (const event of events) addEvent(state, event);
  state.progress = progress;
  state.end = end;
}

function addEvent(state: RunState, event: RunEvent): void {
  switch (event.type) {
    case 'run':
      [state.name, state.folder] = [event.name, event.folder];
      state.score = event.score === undefined ? accuracyScore : scoreFrom(event.score);
      break;
    case 'stage':
      state.current = nameOf(event);
      stageOf(state, state.current).title = event.title;
      break;
    case 'epoch': {
      const { epoch, loss, score, validation } = event;
      curveOf(state, nameOf(event)).set(epoch, { epoch, loss, score, validation });
      break;
    }
    case 'done':
      Object.assign(stageOf(state, nameOf(event)), { seconds: event.seconds, figures: event.figures });
      if (state.current === nameOf(event)) state.current = undefined;
      break;
    case 'message':
    case 'warning':
      state.messages.push({ level: event.type, text: event.message });
      break;
    case 'progress':
    case 'saved':
      break;
  }
}

/** Name of a stage; in a search it includes the trial, since stages have the same names in every trial. */
export function nameOf({ stage, trial }: Pick<StageEvent | EpochEvent | ProgressEvent, 'stage' | 'trial'>): string {
  return trial === undefined ? stage : `${trial}/${stage}`;
}

function stageOf({ stages }: RunState, name: string): Stage {
  let stage = stages.get(name);
  if (stage === undefined) stages.set(name, (stage = { name, title: undefined, seconds: undefined, figures: {} }));
  return stage;
}

function curveOf({ curves }: RunState, name: string): Map<number, Epoch> {
  let curve = curves.get(name);
  if (curve === undefined) curves.set(name, (curve = new Map<number, Epoch>()));
  return curve;
}
