import { sha256, bytesOf } from '../../base/bytes.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { printGraph } from '../../graph/print.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { Graph, TensorData } from '../../graph/types.ts';
import type { GraphEvaluator } from '../../trace/evaluate.ts';
import type { Tensor } from './session.ts';
import { allocate, ortTensor, OnnxSession } from './session.ts';

/** Maximum number of cached sessions; the oldest is removed first. */
const KEPT = 128;

/** Computes single graphs with ONNX Runtime sessions, such as for tfjs tensors that are read outside of a trace. */
export class SessionEvaluator implements GraphEvaluator {
  readonly #sessions = new Map<string, OnnxSession>();

  runSync(graph: Graph, feeds: ReadonlyMap<string, TensorData>): ReadonlyMap<string, TensorData> {
    const results = new Map<string, TensorData>();
    const fetches: Record<string, Tensor> = {};
    for (const [name, value] of graph.outputs) {
      const { dtype, shape } = graph.types.get(value)!;
      const data = allocate(dtype, staticSize(shape));
      results.set(name, data);
      if (data.length > 0) fetches[outputName(graph, name)] = ortTensor(dtype, data, staticShape(shape, name));
    }
    if (Object.keys(fetches).length === 0) return results;
    const inputs: Record<string, Tensor> = {};
    for (const [name, { dtype, shape }] of graph.inputs) {
      const data = feeds.get(name);
      if (data === undefined) throw new Error(`input ${name} is not fed`);
      inputs[name] = ortTensor(dtype, data, staticShape(shape, name));
    }
    this.#session(graph).run(inputs, fetches);
    return results;
  }

  async run(graph: Graph, feeds: ReadonlyMap<string, TensorData>): Promise<ReadonlyMap<string, TensorData>> {
    return Promise.resolve(this.runSync(graph, feeds));
  }

  dispose(): void {
    for (const session of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
  }

  #session(graph: Graph): OnnxSession {
    const key = sha256(printGraph(graph), ...[...graph.constants.values()].map(({ data }) => bytesOf(data)));
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      this.#sessions.delete(key);
      this.#sessions.set(key, known);
      return known;
    }
    const bytes = onnxContent(lowerToOnnx(graph, { exactNaN: true }));
    const session = new OnnxSession(bytes, {
      // For the small graphs here, making the session is most of the work.
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: isLarge(graph) ? 0 : 1,
      interOpNumThreads: 1,
      enableMemPattern: false,
      logSeverityLevel: 4,
    });
    this.#sessions.set(key, session);
    if (this.#sessions.size > KEPT) {
      const [oldest, old] = this.#sessions.entries().next().value!;
      this.#sessions.delete(oldest);
      old.dispose();
    }
    return session;
  }
}

/** True if threads may help: the graph has a large tensor. */
function isLarge(graph: Graph): boolean {
  return graph.nodes.some(({ outputs }) => outputs.some((name) => staticSize(graph.types.get(name)!.shape) > 100_000));
}

/** The evaluator of the process. */
export const evaluator = new SessionEvaluator();
