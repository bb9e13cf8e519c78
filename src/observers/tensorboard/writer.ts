import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { epochSeconds } from '../../base/clock.ts';
import { fileVersionRecord, restartRecord, scalarRecord } from './records.ts';
import { metricOfEvent } from '../../watch/events.ts';
import type { DoneEvent, EpochEvent, OnEvent, ProgressEvent, RunEvent } from '../../base/events.ts';

/** Folder in the run's for `tensorboard --logdir`. */
const TENSORBOARD_FOLDER = 'tensorboard';

/**
 * Writes the curves of a run as TensorBoard's event files, a folder per stage (in a search per trial and stage), so that TensorBoard overlays the
 * stages. Every start opens files of its own and records the step from which older files are outdated.
 */
export function tensorboardWriter(onFailure: (message: string) => void): OnEvent {
  const files = new Map<string, string>();
  let folder: string | undefined;
  const write = ({ stage, trial = '' }: { stage: string; trial?: string }, content: Uint8Array): void => {
    if (folder === undefined) return;
    // A stage such as `measure exports/distilled.onnx` gets a single folder.
    const place = path.join(folder, TENSORBOARD_FOLDER, trial, stage.replace(/[ /]+/g, '-'));
    try {
      appendFileSync(files.get(place) ?? open(place), content);
    } catch (error) {
      // Curves are a by-product: a full disk must not stop the training.
      folder = undefined;
      onFailure(`TensorBoard's files cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const open = (place: string): string => {
    mkdirSync(place, { recursive: true });
    const now = epochSeconds();
    const file = path.join(place, `events.out.tfevents.${now.toFixed(3).replace('.', '')}.${hostname()}`);
    files.set(place, file);
    appendFileSync(file, fileVersionRecord(now));
    return file;
  };
  return (event: RunEvent) => {
    if (event.type === 'run') folder = event.folder;
    else if (event.type === 'stage' && event.step !== undefined)
      write(event, restartRecord(epochSeconds(), event.step));
    else if (event.type === 'epoch') write(event, recordOf(event.step, epochScalars(event)));
    else if (event.type === 'progress' && event.loss !== undefined)
      write(event, recordOf(event.done, progressScalars(event)));
    else if (event.type === 'done' && event.figures.score?.test !== undefined) {
      // A single point, which replaces that of an earlier start.
      write(event, restartRecord(epochSeconds(), 0));
      write(event, recordOf(0, resultScalars(event.figures.score, metricOfEvent(event))));
    }
  };
}

function recordOf(step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  return scalarRecord({ wallTime: epochSeconds(), step, scalars });
}

function epochScalars(event: EpochEvent): Record<string, number> {
  const { loss, score, validation } = event;
  const name = metricOfEvent(event);
  return {
    'epoch/loss': loss,
    ...(score !== undefined && { [`epoch/${name}`]: score }),
    ...(validation !== undefined && { [`epoch/validation_${name}`]: validation }),
  };
}

function progressScalars(event: ProgressEvent): Record<string, number> {
  const { loss, score, samplesPerSecond, secondsPerStep } = event;
  return {
    'running/loss': loss!,
    ...(score !== undefined && { [`running/${metricOfEvent(event)}`]: score }),
    ...(samplesPerSecond !== undefined && { 'speed/samples_per_second': samplesPerSecond }),
    ...(secondsPerStep !== undefined && { 'speed/seconds_per_step': secondsPerStep }),
    'memory/resident_bytes': process.memoryUsage.rss(),
  };
}

function resultScalars(
  { validation, test }: NonNullable<DoneEvent['figures']['score']>,
  name: string,
): Record<string, number> {
  return {
    ...(validation !== undefined && { [`result/validation_${name}`]: validation }),
    ...(test !== undefined && { [`result/test_${name}`]: test }),
  };
}
