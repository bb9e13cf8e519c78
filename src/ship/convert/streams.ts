import { Slot } from '../../base/registry.ts';
import { streams } from '../../base/streams.ts';
import type { Graph } from '../../graph/types.ts';
import type { openFileRunner } from '../parity/runners.ts';
import type { Feeds } from '../parity/file-runner.ts';

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

/** Modules of slots of streams. */
export interface StreamCells {
  readonly streamCheck?: () => Promise<{ readonly streamCheck: StreamCheck }>;
}
