import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { epochSeconds } from '../base/clock.ts';
import { fileVersionRecord, restartRecord, scalarRecord } from '../formats/tensorboard.ts';
import type { EpochEvent, OnEvent, ProgressEvent, RunEvent } from './events.ts';

/** The folder of a run that `tensorboard --logdir` is pointed at. */
export const TENSORBOARD_FOLDER = 'tensorboard';

/**
 * Writes the curves of a run as TensorBoard's event files, a folder per stage, so that TensorBoard lays the stages over each
 * other. A start, a resumed one too, opens files of its own and says from which step on the older ones are outdated.
 */
export function tensorboardWriter(onFailure: (message: string) => void): OnEvent {
  const files = new Map<string, string>();
  let folder: string | undefined;
  const write = (stage: string, content: Uint8Array): void => {
    if (folder === undefined) return;
    try {
      appendFileSync(files.get(stage) ?? open(path.join(folder, TENSORBOARD_FOLDER, stage), stage), content);
    } catch (error) {
      // Curves are a by-product: a disk that is full must not take the training with it.
      folder = undefined;
      onFailure(`TensorBoard's files cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const open = (place: string, stage: string): string => {
    mkdirSync(place, { recursive: true });
    const now = epochSeconds();
    const file = path.join(place, `events.out.tfevents.${now.toFixed(3).replace('.', '')}.${hostname()}`);
    files.set(stage, file);
    appendFileSync(file, fileVersionRecord(now));
    return file;
  };
  return (event: RunEvent) => {
    if (event.type === 'run') folder = event.folder;
    else if (event.type === 'stage' && event.step !== undefined)
      write(event.stage, restartRecord(epochSeconds(), event.step));
    else if (event.type === 'epoch') write(event.stage, recordOf(event.step, epochScalars(event)));
    else if (event.type === 'progress' && event.loss !== undefined)
      write(event.stage, recordOf(event.done, progressScalars(event)));
  };
}

function recordOf(step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  return scalarRecord({ wallTime: epochSeconds(), step, scalars });
}

function epochScalars({ loss, accuracy, validation }: EpochEvent): Record<string, number> {
  return {
    'epoch/loss': loss,
    'epoch/accuracy': accuracy,
    ...(validation !== undefined && { 'epoch/validation_accuracy': validation }),
  };
}

function progressScalars({ loss, accuracy, samplesPerSecond, secondsPerStep }: ProgressEvent): Record<string, number> {
  return {
    'running/loss': loss!,
    ...(accuracy !== undefined && { 'running/accuracy': accuracy }),
    'speed/samples_per_second': samplesPerSecond,
    ...(secondsPerStep !== undefined && { 'speed/seconds_per_step': secondsPerStep }),
  };
}
