import type { Graph } from '../../../graph/types.ts';
import { nextName, outputName } from '../lower.ts';
import type { Model, OnnxAttr, OnnxGraph, ValueInfo } from '../model.ts';

/** Name of a feed of many steps: [steps, ...shape of one step]. */
export const stackName = (feed: string): string => `${feed}#steps`;
/** Name of a result of many steps: [steps, ...shape of one step]. */
export const resultsName = (output: string): string => `${output}#results`;
/** The state before the first step. */
export const firstName = (state: string): string => `${state}#first`;
/** The state after the last step. */
export const lastName = (state: string): string => `${state}#last`;

const STEPS = 'steps';

/**
 * Makes a model of any number of steps from the model of one step of `graph`: a `Scan` (ONNX operator set 11) with the step's state, which takes a
 * slice of each feed per step. State that the step only reads keeps its name and is captured by the `Scan`. `graph` must have feeds: their first axis
 * is the number of steps.
 */
export function repeatedModel(model: Model, graph: Graph): Model {
  const body = model.graph;
  const info = new Map([...body.inputs, ...body.outputs].map((value) => [value.name, value]));
  const feeds = [...graph.inputs.keys()];
  const updated = [...graph.updates.keys()];
  const outputs = [...graph.outputs.keys()].map((output) => outputName(graph, output));
  const known = (names: readonly string[]): ValueInfo[] => names.map((name) => info.get(name)!);
  const step: OnnxGraph = {
    ...body,
    inputs: known([...updated, ...feeds]),
    outputs: known([...updated.map(nextName), ...outputs]),
  };
  const renamed = (names: readonly string[], rename: (name: string) => string): ValueInfo[] =>
    known(names).map((value) => ({ ...value, name: rename(value.name) }));
  const read = [...graph.state.keys()].filter((name) => !graph.updates.has(name));
  const attrs = new Map<string, OnnxAttr>([
    ['body', { type: 'graph', value: step }],
    ['num_scan_inputs', { type: 'int', value: feeds.length }],
  ]);
  return {
    ...model,
    graph: {
      ...body,
      initializers: [],
      nodes: [
        {
          op: 'Scan',
          domain: '',
          name: 'steps',
          inputs: [...updated.map(firstName), ...feeds.map(stackName)],
          outputs: [...updated.map(lastName), ...outputs.map(resultsName)],
          attrs,
        },
      ],
      inputs: [...renamed(updated, firstName), ...known(read), ...renamed(feeds, stackName).map(stacked)],
      outputs: [
        ...updated.map((name) => ({ ...info.get(nextName(name))!, name: lastName(name) })),
        ...renamed(outputs, resultsName).map(stacked),
      ],
    },
  };
}

function stacked(value: ValueInfo): ValueInfo {
  return { ...value, dims: [STEPS, ...(value.dims ?? [])] };
}
