import { UserError } from '../../../base/errors.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { RESHAPING } from '../../../formats/onnx/model.ts';
import type { Model } from '../../../formats/onnx/model.ts';
import type { ModelValue } from '../../../runtime/inference.ts';
import { tokenInputOf } from './text-inputs.ts';

/** Ops that pass ids on unchanged. */
const PASSING = [...RESHAPING, 'Cast', 'Clip'];

/** Number of rows of the table in which an input's ids are looked up; undefined if no look-up is found. */
function tableRows({ graph }: Model, input: string): number | undefined {
  const rows = new Map(graph.initializers.map(({ name, dims }) => [name, dims[0]]));
  const ids = new Set([input]);
  const found: number[] = [];
  for (const { op, inputs, outputs } of graph.nodes) {
    const [first, second] = inputs;
    if (PASSING.includes(op) && ids.has(first!)) ids.add(outputs[0]!);
    // A quantized table is dequantized before or after the look-up.
    if (op === 'DequantizeLinear' && rows.has(first!)) rows.set(outputs[0]!, rows.get(first!));
    const table = rows.get(first!);
    if (op === 'Gather' && ids.has(second!) && table !== undefined) found.push(table);
  }
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Maximum number of rows that exporters add to round up the size of a table. */
const ROUNDING = 256;

/** `UserError` for a tokenizer whose vocabulary differs from the file's. */
export function refuseOtherVocabulary(
  model: Model,
  inputs: readonly ModelValue[],
  name: string,
  { text }: Pick<Dataset, 'text'>,
): void {
  const ids = inputs.find((input) => tokenInputOf(inputs, input) === 'input_ids');
  const rows = text && ids && tableRows(model, ids.name);
  if (rows === undefined || text === undefined) return;
  const { vocabulary, tokenizer } = text;
  const isOther = rows < vocabulary || (inputs.length > 1 && rows - vocabulary >= ROUNDING);
  if (!isOther) return;
  throw new UserError(
    `${name}: its vocabulary has ${rows} ids, received ids of a tokenizer of ${vocabulary} (${tokenizer})`,
    'Set `teacher.text.tokenizer` to the tokenizer.json that the teacher was trained with; it lies beside the model.',
  );
}
