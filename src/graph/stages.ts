import { printGraph } from './print.ts';
import type { Graph } from './types.ts';

/**
 * Stages of a graph from tfjs calls to a session or a file:
 *
 * - `traced`: a node for each kernel call of tfjs;
 * - `cleaned`: without duplicate and unused computations;
 * - `inference`: as exported, with batch norms folded and constants computed;
 * - `step`: as ONNX Runtime trains it, possibly in mixed precision;
 * - `onnx`, `qdq`: in ONNX operators; with quantize and dequantize nodes;
 * - `tflite`, `tflite-final`: in TFLite operators; fused, in its precision.
 */
export type Stage = 'traced' | 'cleaned' | 'inference' | 'step' | 'onnx' | 'qdq' | 'tflite' | 'tflite-final';

type Watcher = (stage: Stage, text: string) => void;

let watcher: Watcher | undefined;

/** Passes every graph of this process to `watch` at every stage from now on; undefined: ends that. */
export function watchStages(watch: Watcher | undefined): void {
  watcher = watch;
}

/** Passes a graph's text to the watcher; it is made only if there is one. */
export function showStage(stage: Stage, text: () => string): void {
  watcher?.(stage, text());
}

/** Passes a graph to the watcher, and returns it. */
export function reportStage(stage: Stage, graph: Graph): Graph {
  showStage(stage, () => printGraph(graph));
  return graph;
}
