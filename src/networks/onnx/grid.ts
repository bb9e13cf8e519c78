import { UserError } from '../../base/errors.ts';
import { graphOf } from '../../graph/builder.ts';
import { removeDeadCode } from '../../graph/passes/simplify/dead-code.ts';
import { simplifyShapes } from '../../graph/passes/simplify/simplify-shapes.ts';
import type { Attrs, Graph, Node } from '../../graph/types.ts';

/** Rows, columns and classes of the answers that the data ask for. */
export type AnswerGrid = readonly [rows: number, columns: number, classes: number];

interface OnGrid {
  readonly graph: Graph;
  /** Name of the enlargement that was left off. */
  readonly cut?: string | undefined;
  /** The file's own rows and columns, if its logits are resized. */
  readonly resized?: readonly [rows: number, columns: number] | undefined;
}

/**
 * The graph with its first output, logits [batch, height, width, classes] or [batch, classes, height, width], on the grid of the data, [batch, rows,
 * columns, classes]. A bilinear enlargement at its end is left off, because masks are made of logits by the same enlargement; logits of another size
 * are resized bilinearly, as those of teachers are. `UserError` for outputs of another form.
 */
export function answeredOnGrid(imported: Graph, file: string, [rows, columns, classes]: AnswerGrid): OnGrid {
  // Changes of layout that undo each other would hide the last operators. Equal constants stay apart, as weights that are trained.
  const graph = simplified(imported);
  const [name, value] = [...graph.outputs][0]!;
  const { shape } = graph.types.get(value)!;
  const last = producerOf(graph, value);
  const turned = last?.op === 'Transpose' && String(last.attrs.perm) === '0,3,1,2' ? last : undefined;
  const isLast = shape[3] === classes && (shape[1] !== classes || turned === undefined);
  if (shape.length !== 4 || shape[0] !== 'batch' || (!isLast && shape[1] !== classes))
    throw new UserError(
      `${file}: expected logits of the ${classes} classes of the data for each pixel, [batch, height, width, ${classes}] or [batch, ${classes}, height, width], received ${name} [${shape.join(', ')}]`,
      'Export the model up to its logits, without argmax, and give data of its classes, or set `student.head: replace`: its last layer is then drawn anew for these.',
    );
  const nodes = [...graph.nodes];
  const appended = (op: string, input: string, attrs: Attrs): string => {
    let output = `${input}/${op}`;
    while (graph.types.has(output)) output += '_';
    nodes.push({ op, inputs: [input], attrs, outputs: [output] });
    return output;
  };
  const turn = (): string => turned?.inputs[0] ?? appended('Transpose', value, { perm: [0, 2, 3, 1] });
  const whole = isLast ? value : turn();
  const [height, width] = (isLast ? shape.slice(1) : shape.slice(2)) as number[];
  const resize = producerOf(graph, whole);
  const [, above = 0, beside = 0] = resize === undefined ? [] : (graph.types.get(resize.inputs[0]!)!.shape as number[]);
  const isCut =
    resize?.op === 'ResizeBilinear' && resize.attrs.halfPixelCenters === true && above <= height! && beside <= width!;
  const logits = isCut ? resize.inputs[0]! : whole;
  const own = isCut ? ([above, beside] as const) : ([height!, width!] as const);
  const isResized = own[0] !== rows || own[1] !== columns;
  const size = { size: [rows, columns], alignCorners: false, halfPixelCenters: true };
  const outputs = new Map(graph.outputs).set(name, isResized ? appended('ResizeBilinear', logits, size) : logits);
  return {
    graph: simplified(graphOf({ ...graph, nodes, outputs })),
    ...(isCut && { cut: resize.layer ?? resize.op }),
    ...(isResized && { resized: own }),
  };
}

function simplified(graph: Graph): Graph {
  return removeDeadCode(simplifyShapes(graph));
}

function producerOf({ nodes }: Graph, value: string): Node | undefined {
  return nodes.find(({ outputs }) => outputs.includes(value));
}
