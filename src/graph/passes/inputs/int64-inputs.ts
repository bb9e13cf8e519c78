import { GraphBuilder } from '../../builder.ts';
import type { DType, Graph } from '../../types.ts';

/** These int32 inputs as int64, as the file had them that a network came from: its programs go on feeding what they fed. */
export function withInt64Inputs(graph: Graph, wide: ReadonlySet<string>): Graph {
  return withInputsOf('int64', graph, (name) => wide.has(name));
}

const NARROWED: readonly DType[] = ['int64', 'bool'];

/** The int64 and bool inputs and outputs as int32: LiteRT for WebAssembly takes none, and ids, masks and classes of phones' programs are int32. */
export function withInt32Ends(graph: Graph): Graph {
  const isChanged = (name: string): boolean => NARROWED.includes(graph.types.get(name)!.dtype);
  const areChanged = [...graph.inputs.keys(), ...graph.outputs.values()].some(isChanged);
  return areChanged ? withInputsOf('int32', graph, isChanged) : graph;
}

function withInputsOf(dtype: DType, graph: Graph, isChanged: (name: string) => boolean): Graph {
  const builder = new GraphBuilder();
  /** Replacements of values. */
  const instead = new Map<string, string>();
  for (const { outputs } of graph.nodes) for (const value of outputs) builder.reserve(value);
  for (const [key, { type, data }] of graph.constants) builder.constant(type, data, key);
  for (const [name, type] of graph.inputs) {
    if (!isChanged(name)) {
      builder.input(name, type);
      continue;
    }
    const given = builder.input(name, { ...type, dtype });
    // A conversion to what the input is now does nothing any more.
    const { back, rest } = readersOf(graph, name, dtype);
    for (const value of back) instead.set(value, given);
    if (rest) instead.set(name, builder.op('Cast', [given], { dtype: type.dtype }));
  }
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes)
    if (!instead.has(outputs[0]!))
      builder.node(
        op,
        inputs.map((value) => instead.get(value) ?? value),
        attrs,
        { layer, outputs },
      );
  for (const [name, value] of graph.outputs) {
    const given = instead.get(value) ?? value;
    const isNarrowed = dtype === 'int32' && NARROWED.includes(builder.typeOf(given).dtype);
    builder.output(name, isNarrowed ? builder.op('Cast', [given], { dtype }) : given);
  }
  return builder.build();
}

/** The conversions of an input to this type, and whether anything else reads it. */
function readersOf(graph: Graph, name: string, dtype: DType): { back: string[]; rest: boolean } {
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(name));
  const isBack = ({ op, attrs }: (typeof readers)[number]): boolean => op === 'Cast' && attrs['dtype'] === dtype;
  const isOutput = [...graph.outputs.values()].includes(name);
  return {
    back: readers.filter(isBack).map(({ outputs }) => outputs[0]!),
    rest: isOutput || !readers.every(isBack),
  };
}
