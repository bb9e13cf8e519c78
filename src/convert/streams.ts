import { Slot } from '../base/registry.ts';
import { streams } from '../base/streams.ts';
import type { Program } from '../formats/tflite/lower/program.ts';
import type { Quantization } from '../graph/quantization.ts';
import type { Graph } from '../graph/types.ts';

/** A graph that takes a hop at a time and keeps its past, made of a graph of windows. */
export interface StreamGraph {
  readonly graph: Graph;
  /** Computes the scales of the values of the stream from the scales of the graph that takes whole windows. */
  readonly scales: (quantization: Quantization) => Quantization;
  /** Metadata of its file, from those of a file of windows. */
  readonly metadata: (ofWindows: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
}

/** Way to write models as streams. */
export interface StreamForm {
  /** `UserError` by the name of a layer that looks ahead. */
  readonly streamGraph: (graph: Graph, format: 'onnx' | 'tflite') => StreamGraph;
  /** Makes variables of the pasts of a TFLite program. */
  readonly storePasts: (program: Program) => void;
}

export const STREAM_FORM = new Slot<StreamForm>(streams, 'streamForm', 'form of a stream');
