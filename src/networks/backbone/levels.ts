import { UserError } from '../../base/errors.ts';
import type { Model, OnnxNode } from '../../formats/onnx/model.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import type { Graph, TensorType } from '../../graph/types.ts';

/** A feature map of a file: the value, the layer that a user knows it by, its stride, and its shape with channels last. */
export interface Level {
  readonly value: string;
  readonly layer: string;
  readonly stride: number;
  readonly shape: readonly [height: number, width: number, channels: number];
}

/** Operators that compute each number from one number of the same channel, so that the layer before them is told by them. */
const POINTWISE: ReadonlySet<string> = new Set([
  'Relu',
  'Clip',
  'HardSwish',
  'HardSigmoid',
  'LeakyRelu',
  'PRelu',
  'Gelu',
  'BatchNormalization',
  'Identity',
]);

/**
 * Feature maps of a file at these strides: those that `layers` names, else the last of each stride through which everything passes that comes after it,
 * apart from an expansion by a 1×1 convolution, which belongs to the next stage. `graph`: the imported file with the sizes of the data. `UserError` for a stride without such a map, with the layers that would do.
 */
export function levelsOf(
  model: Model,
  graph: Graph,
  file: string,
  {
    strides,
    layers,
    picture,
  }: {
    readonly strides: readonly number[];
    readonly layers?: readonly string[] | undefined;
    readonly picture: readonly number[];
  },
): Level[] {
  const nodes = fedNodes(model);
  const typeOf = typesByLayer(graph);
  const all = nodes.flatMap((node) =>
    strides.flatMap((stride) => levelAt(node, typeOf.get(nameOf(node)), stride, picture) ?? []),
  );
  if (layers !== undefined) return named(layers, all, { file, strides, model });
  const found: (Level | undefined)[] = [];
  for (const stride of strides) {
    // A pyramid reads the larger feature maps once more, behind the smaller ones.
    const through = cutsOf(nodes, model, new Set(found.map((level) => level?.value)));
    const own = all.filter((one) => one.stride === stride);
    const ends = own.filter(({ value }) => model.graph.outputs.some(({ name }) => name === value));
    const last = own.findLast(({ value }) => through.has(value));
    found.push(ends.length === 1 ? ends[0] : last && beforeExpansion(last, all, nodes, model));
  }
  const missing = strides.filter((_, i) => found[i] === undefined);
  if (missing.length > 0) throw noLevel(file, missing, all, picture);
  return found as Level[];
}

function nameOf({ name, outputs }: OnnxNode): string {
  return name || outputs[0]!;
}

/** The nodes that depend on an input, in the order of the file. */
function fedNodes({ graph }: Model): OnnxNode[] {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const fed = new Set(graph.inputs.map(({ name }) => name).filter((name) => !stored.has(name)));
  return graph.nodes.filter(({ op, inputs, outputs }) => {
    const isFed = op !== 'Shape' && inputs.some((name) => fed.has(name));
    if (isFed) outputs.forEach((name) => fed.add(name));
    return isFed;
  });
}

/** Types of the results of the file's operators, by the name of the operator. */
function typesByLayer({ nodes, types }: Graph): ReadonlyMap<string, TensorType> {
  return new Map(
    nodes.flatMap(({ layer, outputs }) => (layer === undefined ? [] : [[layer, types.get(outputs[0]!)!]])),
  );
}

function levelAt(
  node: OnnxNode,
  type: TensorType | undefined,
  stride: number,
  picture: readonly number[],
): Level | undefined {
  const [height, width] = [picture[0]! / stride, picture[1]! / stride];
  if (type?.dtype !== 'float32' || type.shape.length !== 4 || type.shape[0] !== 'batch') return undefined;
  const [, a, b, c] = type.shape as number[];
  const isFirst = b === height && c === width;
  if (!isFirst && !(a === height && b === width)) return undefined;
  return { value: node.outputs[0]!, layer: nameOf(node), stride, shape: [height, width, isFirst ? a! : c!] };
}

/** Values on every path from the picture to a later node, apart from paths through the values `known`. */
function cutsOf(nodes: readonly OnnxNode[], { graph }: Model, known: ReadonlySet<string | undefined>): Set<string> {
  const lastUse = new Map<string, number>();
  nodes.forEach(({ inputs }, i) => inputs.filter((name) => !known.has(name)).forEach((name) => lastUse.set(name, i)));
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const computed = new Set(nodes.flatMap(({ outputs }) => outputs));
  const inputs = graph.inputs.map(({ name }) => name).filter((name) => !stored.has(name));
  let open = Math.max(-1, ...inputs.map((name) => lastUse.get(name) ?? -1));
  const cuts = new Set<string>();
  nodes.forEach(({ outputs: [value] }, i) => {
    if (open <= i && value !== undefined && computed.has(value)) cuts.add(value);
    open = Math.max(open, lastUse.get(value!) ?? -1);
  });
  return cuts;
}

/** The level that a 1×1 convolution with more filters than channels widens, if it is at the same stride; else the level itself. */
function beforeExpansion(level: Level, all: readonly Level[], nodes: readonly OnnxNode[], { graph }: Model): Level {
  const producers = producersOf(nodes);
  let node = producers.get(level.value)!;
  // Keras writes x · sigmoid(x) as two operators.
  const isSwish = ({ op, inputs: [x, gate] }: OnnxNode): boolean => {
    const sigmoid = producers.get(gate!);
    return op === 'Mul' && sigmoid?.op === 'Sigmoid' && sigmoid.inputs[0] === x;
  };
  while ((POINTWISE.has(node.op) || isSwish(node)) && producers.has(node.inputs[0]!))
    node = producers.get(node.inputs[0]!)!;
  if (node.op !== 'Conv') return level;
  const [x, filters] = node.inputs;
  const [outputs = 0, channels = 0, ...window] = graph.initializers.find(({ name }) => name === filters)?.dims ?? [];
  const isExpansion = window.every((size) => size === 1) && outputs > channels;
  return (isExpansion && all.find(({ value, stride }) => value === x && stride === level.stride)) || level;
}

function named(
  layers: readonly string[],
  all: readonly Level[],
  { file, strides, model }: { readonly file: string; readonly strides: readonly number[]; readonly model: Model },
): Level[] {
  const known = new Set(model.graph.nodes.flatMap((node) => [nameOf(node), ...node.outputs]));
  if (layers.length !== strides.length)
    throw new UserError(
      `student.backbone.layers: expected ${strides.length} layers, at strides ${strides.join(', ')}, received ${layers.join(', ')}`,
      'Name one layer for each of these strides, in this order, or none.',
    );
  return layers.map((layer, i) => {
    const found = all.find((one) => one.stride === strides[i] && (one.layer === layer || one.value === layer));
    if (found !== undefined) return found;
    const fact = known.has(layer) ? 'gives no feature map of that size' : 'is not in the file';
    throw new UserError(
      `student.backbone.layers: ${layer} is to give the feature map at stride ${strides[i]!}, and ${fact} (${file})`,
      remedy(all, strides[i]!),
    );
  });
}

function noLevel(
  file: string,
  missing: readonly number[],
  all: readonly Level[],
  picture: readonly number[],
): UserError {
  const sizes = missing.map((stride) => `${picture[0]! / stride}×${picture[1]! / stride}`);
  return new UserError(
    `${file}: expected feature maps at ${missing.length === 1 ? 'stride' : 'strides'} ${missing.join(', ')}, ${sizes.join(', ')} of pictures of ${picture.slice(0, 2).join('×')}, received none through which all later layers read the picture`,
    remedy(all, missing[0]!),
  );
}

/** Number of layers in a remedy. */
const LISTED = 5;

function remedy(all: readonly Level[], stride: number): string {
  const able = [...new Set(all.filter((one) => one.stride === stride).map(({ layer }) => layer))];
  return able.length === 0
    ? `The file has no feature map at stride ${stride}: give another one, or the model another size of pictures by dataset.resize.`
    : `Name layers in student.backbone.layers; at stride ${stride} these would do: ${able.slice(-LISTED).join(', ')}.`;
}
