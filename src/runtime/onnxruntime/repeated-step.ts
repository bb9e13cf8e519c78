import type { Model } from '../../formats/onnx/model.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { outputName } from '../../formats/onnx/lower.ts';
import { firstName, lastName, repeatedModel, resultsName, stackName } from '../../formats/onnx/rewrite/repeat.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { Graph, TensorData } from '../../graph/types.ts';
import type { SessionOptions, Tensor } from './session.ts';
import { allocate, ortTensor, OnnxSession, tensorValues } from './session.ts';
import type { StateStore } from '../state.ts';

type Values = Readonly<Record<string, TensorData>>;

/**
 * Several steps of a graph in one call of ONNX Runtime: the state is copied in once, stays with the provider from step to step, and is copied out
 * once.
 */
export class RepeatedStep {
  readonly #graph: Graph;
  readonly #session: OnnxSession;
  readonly #outputs: readonly string[];

  /** `model`: the model of one step. */
  constructor(graph: Graph, model: Model, options: SessionOptions) {
    this.#graph = graph;
    this.#session = new OnnxSession(onnxContent(repeatedModel(model, graph)), options);
    this.#outputs = [...graph.outputs.keys()];
  }

  /** `feeds`: feeds of each step, including random ones. Returns the results of each step, and advances the store. */
  run(feeds: readonly Values[], store: StateStore): Values[] {
    const { state, updates, inputs } = this.#graph;
    const tensors: Record<string, Tensor> = {};
    const fetches: Record<string, Tensor | null> = {};
    for (const name of state.keys()) tensors[updates.has(name) ? firstName(name) : name] = store.current(name);
    for (const name of inputs.keys()) tensors[stackName(name)] = this.#stacked(name, feeds);
    for (const name of updates.keys()) fetches[lastName(name)] = store.spare(name);
    for (const name of this.#outputs) fetches[this.#results(name)] = null;
    const written = this.#session.run(tensors, fetches);
    for (const name of updates.keys()) store.advance(name, written[lastName(name)]!);
    return feeds.map((_, step) => this.#resultsOf(step, written));
  }

  dispose(): void {
    this.#session.dispose();
  }

  #results(output: string): string {
    return resultsName(outputName(this.#graph, output));
  }

  #stacked(name: string, feeds: readonly Values[]): Tensor {
    const { dtype, shape } = this.#graph.inputs.get(name)!;
    const size = staticSize(shape);
    const all = allocate(dtype, feeds.length * size);
    feeds.forEach((feed, step) => (all as Float32Array).set(feed[name] as Float32Array, step * size));
    return ortTensor(dtype, all, [feeds.length, ...staticShape(shape, name)]);
  }

  #resultsOf(step: number, written: Readonly<Record<string, Tensor>>): Values {
    return Object.fromEntries(
      this.#outputs.map((name) => {
        const size = staticSize(this.#graph.types.get(this.#graph.outputs.get(name)!)!.shape);
        return [name, tensorValues(written[this.#results(name)]!).slice(step * size, (step + 1) * size)];
      }),
    );
  }
}
