import { UserError } from '../../base/errors.ts';
import { sizedTensor } from '../../formats/tflite/describe/describe.ts';
import { ModelEditor } from '../../formats/tflite/rewrite/editor.ts';
import type { Operator, TfliteModel } from '../../formats/tflite/types.ts';
import { writeTflite } from '../../formats/tflite/write.ts';
import { arrays } from '../../graph/arrays.ts';
import { openTflite } from '../litert.ts';

export interface SeenShapes {
  /** Shapes of computed tensors, by index; empty for a file that leaves none but the batch open. */
  readonly shapes: ReadonlyMap<number, readonly number[]>;
  /** Reason why the model does not run. */
  readonly problem?: string;
}

/**
 * Shapes of the tensors of a model that leaves sizes open, found by running it once on zeros: a SHAPE stands behind each operator. `sizes`: shapes
 * of inputs, by index; other open sizes of inputs are 1.
 */
export async function seenShapes(
  model: TfliteModel,
  sizes: ReadonlyMap<number, readonly number[]>,
): Promise<SeenShapes> {
  const [main] = model.subgraphs;
  const isOpen = main?.tensors.some(({ shapeSignature = [] }) => shapeSignature.slice(1).some((size) => size < 0));
  if (main === undefined || (isOpen !== true && sizes.size === 0)) return { shapes: new Map() };
  const tensors = main.tensors.map((tensor, i) => sizedTensor(tensor, sizes.get(i) ?? tensor.shape ?? []));
  const editor = new ModelEditor({ ...model, subgraphs: [{ ...main, tensors, operators: [] }] });
  // LiteRT hands out garbage for an output that is known before the run: a zero that is fed is added to each shape.
  const zero = editor.tensor('zero', 'int32', [1]);
  const shapeOf = new Map<number, number>();
  const shapesOf = (of: number): Operator[] => {
    const rank = tensors[of]!.shape.length;
    if (rank === 0) return [];
    const [shape, output] = [editor.tensor(`${of}`, 'int32', [rank]), editor.tensor(`shape of ${of}`, 'int32', [rank])];
    shapeOf.set(of, output);
    const add = { type$: 'AddOptions', fusedActivationFunction: 0 };
    return [
      editor.operator({ op: 'SHAPE', inputs: [of], output: shape, options: { type$: 'ShapeOptions', outType: 2 } }),
      editor.operator({ op: 'ADD', inputs: [shape, zero], output, options: add }),
    ];
  };
  const operators = main.operators.flatMap((operator) => [operator, ...operator.outputs.flatMap(shapesOf)]);
  const inputs = [...main.inputs, zero];
  const edited = editor.finished(inputs, [...shapeOf.values()], { before: operators, after: [] }, {});
  try {
    const session = await openTflite(writeTflite(edited));
    try {
      const zeros = session.inputs.map(({ name, dtype, shape }) => {
        return [name, new arrays[dtype](shape.reduce((a, b) => a * b, 1))] as const;
      });
      const results = await session.run(Object.fromEntries(zeros));
      return { shapes: new Map([...shapeOf.keys()].map((of) => [of, Array.from(results[`shape of ${of}`]!, Number)])) };
    } finally {
      session.dispose();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { shapes: new Map(), problem: error.message.replace(/\bthird_party\/\S+ /g, '').slice(0, 200) };
  }
}
