import { Slot } from '../../base/registry.ts';
import { streams } from '../../base/streams.ts';
import type { Graph } from '../../graph/types.ts';
import type { ModelRow } from '../../report/types.ts';
import type { ShipContext } from '../context.ts';
import type { ExportedModel } from '../export.ts';
import type { ModelFile } from '../model-file.ts';
import type { openFileRunner } from '../parity/runners.ts';
import type { Feeds } from '../parity/file-runner.ts';
import type { Write } from '../write.ts';

/** Check of a stream beside the model of windows that it was made of. */
export interface CheckedStream {
  /** Windows to compare on, of those that were given, and behind them windows that are a hop apart. */
  readonly windows: (given: readonly Feeds[]) => readonly Feeds[];
  /** Opens the file as if it took windows, which it is fed hop by hop. */
  readonly open: typeof openFileRunner;
  /** What the file takes, keeps and answers: its metadata entry `stream`, and a sentence. */
  readonly stated: object;
  readonly text: string;
}

export type StreamCheck = (graph: Graph, format: 'onnx' | 'tflite') => CheckedStream;

export const STREAM_CHECK = new Slot<StreamCheck>(streams, 'streamCheck', 'check of a stream');

/** Stream of a file of a run, compared hop by hop with the float file of windows. */
export interface StreamFile extends ModelFile {
  /** Name of the file in measurements. */
  readonly name: string;
  /** Its row in report.json, without latencies. */
  readonly row: Omit<NonNullable<ModelRow['stream']>, 'latency'>;
}

/**
 * Writes the streams that the recipe asks for beside the files of the last student, of which the first is the float ONNX file; by the id of the
 * file that takes windows. `UserError` where answers hop by hop differ from those to the windows by more than the precision allows.
 */
export type WriteStreams = (
  context: ShipContext,
  files: readonly ExportedModel[],
  write: Write,
) => Promise<Map<string, StreamFile>>;

export const STREAM_FILES = new Slot<WriteStreams>(streams, 'streamFiles', 'streams of a run');

/** Modules of slots of streams. */
export interface StreamCells {
  readonly streamCheck?: () => Promise<{ readonly streamCheck: StreamCheck }>;
  readonly streamFiles?: () => Promise<{ readonly streamFiles: WriteStreams }>;
}
