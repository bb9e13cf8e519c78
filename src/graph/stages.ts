import { printGraph } from './print.ts';
import type { Graph } from './types.ts';

/**
 * Stages of a graph on its way from tfjs calls to a session or a file:
 *
 * - `traced`: one node a kernel call of tfjs;
 * - `cleaned`: nothing computed twice or for nothing;
 * - `inference`: as it ships, with batch norms folded and constants computed;
 * - `step`: as ONNX Runtime trains it, in mixed precision if asked for;
 * - `onnx`, `qdq`: in ONNX' operators; with quantize and dequantize nodes in it;
 * - `tflite`, `tflite-final`: in TFLite's operators; fused, in its precision.
 */
export type Stage = 'traced' | 'cleaned' | 'inference' | 'step' | 'onnx' | 'qdq' | 'tflite' | 'tflite-final';

type Watcher = (stage: Stage, text: string) => void;

let watcher: Watcher | undefined;

/** Every graph is shown to `watch` at every stage from now on, in this process; undefined: to nobody. */
export function watchStages(watch: Watcher | undefined): void {
  watcher = watch;
}

/** Shows a graph; its text is made only where someone watches. */
export function showStage(stage: Stage, text: () => string): void {
  watcher?.(stage, text());
}

/** Shows a graph and hands it on. */
export function reportStage(stage: Stage, graph: Graph): Graph {
  showStage(stage, () => printGraph(graph));
  return graph;
}
