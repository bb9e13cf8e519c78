import { UserError } from '../../base/errors.ts';
import { graphOf } from '../../graph/builder.ts';
import { handsOn } from '../../graph/ops.ts';
import { removeDeadCode } from '../../graph/passes/simplify/dead-code.ts';
import { producersOf } from '../../graph/passes/uses.ts';
import type { Attrs, Constant, Graph, Node } from '../../graph/types.ts';
import type { DecoderSettings } from '../../recipe/decoders.ts';

/** The points at which a detector answers, and how its file gives the answers. */
export interface PointAnswers {
  readonly points: number;
  readonly classes: number;
  /** Height and width of a picture. */
  readonly picture: readonly [height: number, width: number];
  /** Names of the outputs with boxes, as shares of the picture (xmin, ymin, xmax, ymax), and scores. Default: `boxes` and `scores`. */
  readonly outputs?: { readonly boxes?: string | undefined; readonly scores?: string | undefined } | undefined;
  /** Layout of the only output, or of the one called `output`, which holds boxes and probabilities. */
  readonly decoder?: DecoderSettings | undefined;
  readonly output?: string | undefined;
}

/**
 * The graph of a detector with the outputs `boxes` [batch, points, 4], as shares of the picture, and `scores` [batch, points, classes], logits: a
 * sigmoid at the end of the scores is left off. `UserError` for outputs of another form.
 */
export function answeredAtPoints(imported: Graph, file: string, asked: PointAnswers): Graph {
  const { points, classes, decoder, picture } = asked;
  const [height, width] = picture;
  const only = imported.outputs.size === 1 ? [...imported.outputs.keys()] : [];
  const { boxes: sided = 'boxes', scores: rated = 'scores' } = asked.outputs ?? {};
  const scored = decoder === undefined ? rated : (asked.output ?? only[0] ?? '');
  const other = (received?: string): UserError => {
    const all = [...imported.outputs].map(([key, value]) => `${key} [${imported.types.get(value)!.shape.join(', ')}]`);
    return new UserError(
      `${file}: expected ${decoder === undefined ? `boxes [batch, ${points}, 4] and scores [batch, ${points}, ${classes}]` : `an output [batch, ${4 + classes}, ${points}] of sides and ${classes} classes`} for the ${points} cells of 8, 16 and 32 pixels in pictures of ${height}×${width}, received ${received ?? all.join(', ')}`,
      'Name the outputs in `student.outputs`, or their layout in `student.decoder`; `dataset` needs the classes of the file and, as `resize`, the size of its pictures.',
    );
  };
  const { graph, ends } = withoutSigmoids(imported, scored);
  // A layout of one output has the ends of its boxes among these.
  const isOpen = decoder === undefined && !ends.some(({ op }) => op === 'Softmax' || op === 'LogSoftmax');
  if (graph.outputs.has(scored) && !isOpen && !ends.some(({ op }) => op === 'Sigmoid'))
    throw other(`scores that end in ${ends.map(({ layer, op }) => layer ?? op).join(', ')}, no sigmoid`);

  const nodes = [...graph.nodes];
  const producers = new Map(producersOf(graph.nodes));
  const constants = new Map<string, Constant>(graph.constants);
  const made = (op: string, inputs: readonly string[], attrs: Attrs = {}): string => {
    const name = `points/${nodes.length}`;
    const node = { op, inputs, attrs, outputs: [name] };
    nodes.push(node);
    producers.set(name, node);
    return name;
  };
  const times = (value: string, ...factors: readonly number[]): string => {
    const name = `points/times${nodes.length}`;
    constants.set(name, { type: { dtype: 'float32', shape: [factors.length] }, data: Float32Array.from(factors) });
    return made('Multiply', [value, name]);
  };
  const shapes = new Map([...graph.types].map(([name, { shape }]) => [name, shape.map(Number)]));
  /** A part of a value along an axis. Of a concatenation it is taken before, so that boxes and scores have no tensor, and no int8 scale, in common. */
  const part = (value: string, axis: number, from: number, size: number): string => {
    const node = producers.get(value);
    if (node?.op === 'Transpose') {
      const perm = node.attrs['perm'] as readonly number[];
      return made('Transpose', [part(node.inputs[0]!, perm[axis]!, from, size)], { perm });
    }
    if (node?.op === 'Concat' && node.attrs['axis'] !== axis)
      return made(
        'Concat',
        node.inputs.map((one) => part(one, axis, from, size)),
        node.attrs,
      );
    let at = 0;
    for (const one of node?.op === 'Concat' ? node.inputs : []) {
      const wide = shapes.get(one)![axis]!;
      if (at <= from && from + size <= at + wide)
        return at === from && wide === size ? one : part(one, axis, from - at, size);
      at += wide;
    }
    const begin = [0, 0, 0].with(axis, from);
    return made('Slice', [value], { begin, size: [-1, -1, -1].with(axis, size) });
  };
  const columns = (value: string, from: number, size: number): string => part(value, 2, from, size);
  /** An output as [batch, points, size]. */
  const rows = (name: string, size: number): string => {
    const value = graph.outputs.get(name);
    const shape = value === undefined ? '' : graph.types.get(value)!.shape.join();
    if (shape === `batch,${points},${size}`) return value!;
    if (shape === `batch,${size},${points}`) return made('Transpose', [value!], { perm: [0, 2, 1] });
    throw other();
  };
  const corners = (sides: string): string => {
    const [centre, half] = [columns(sides, 0, 2), times(columns(sides, 2, 2), 0.5)];
    return made('Concat', [made('Sub', [centre, half]), made('Add', [centre, half])], { axis: 2 });
  };
  const answers = (): readonly [boxes: string, scores: string] => {
    if (decoder === undefined) return [rows(sided, 4), rows(rated, classes)];
    const all = rows(scored, 4 + classes);
    const sides = columns(all, 0, 4);
    const boxes = decoder.boxes === 'corners' ? sides : corners(sides);
    const inShares = decoder.unit === 'shares' ? boxes : times(boxes, 1 / width, 1 / height, 1 / width, 1 / height);
    return [inShares, columns(all, 4, classes)];
  };
  const [boxes, scores] = answers();
  return removeDeadCode(
    graphOf({
      ...graph,
      nodes,
      constants,
      outputs: new Map([
        ['boxes', boxes],
        ['scores', scores],
      ]),
    }),
  );
}

/** The graph without the sigmoids that the output `name` ends in, before it is concatenated, cut or reshaped; `ends`: the last operators that compute its numbers. */
function withoutSigmoids(graph: Graph, name: string): { readonly graph: Graph; readonly ends: readonly Node[] } {
  const producers = producersOf(graph.nodes);
  const moving = new Set<Node>();
  const ends = new Set<Node>();
  const visit = (value: string): void => {
    const node = producers.get(value);
    if (node === undefined || moving.has(node)) return;
    const isMoving = node.op === 'Concat' || handsOn(node.op, 'cut');
    (isMoving ? moving : ends).add(node);
    if (isMoving) node.inputs.forEach(visit);
  };
  const value = graph.outputs.get(name);
  if (value !== undefined) visit(value);
  const before = (one: string): string => {
    const node = producers.get(one);
    return node?.op === 'Sigmoid' && ends.has(node) ? node.inputs[0]! : one;
  };
  const nodes = graph.nodes.map((node) => (moving.has(node) ? { ...node, inputs: node.inputs.map(before) } : node));
  const outputs = new Map([...graph.outputs].map(([key, one]) => [key, key === name ? before(one) : one]));
  return { graph: { ...graph, nodes, outputs }, ends: [...ends] };
}
