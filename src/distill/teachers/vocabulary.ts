import { UserError } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import { RESHAPING } from '../../formats/onnx/model.ts';
import type { Model } from '../../formats/onnx/model.ts';
import type { ModelValue } from '../../runtime/inference.ts';
import { tokenInputOf } from './text-inputs.ts';

/** Ops that hand ids on as they are. */
const PASSING = [...RESHAPING, 'Cast', 'Clip'];

/** Rows of the table that the ids of an input are looked up in; undefined where none is seen. */
function tableRows({ graph }: Model, input: string): number | undefined {
  const rows = new Map(graph.initializers.map(({ name, dims }) => [name, dims[0]]));
  const ids = new Set([input]);
  const found: number[] = [];
  for (const { op, inputs, outputs } of graph.nodes) {
    const [first, second] = inputs;
    if (PASSING.includes(op) && ids.has(first!)) ids.add(outputs[0]!);
    // A table of few bits is brought to float before or after.
    if (op === 'DequantizeLinear' && rows.has(first!)) rows.set(outputs[0]!, rows.get(first!));
    const table = rows.get(first!);
    if (op === 'Gather' && ids.has(second!) && table !== undefined) found.push(table);
  }
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Rows that exporters add so that a table has a round number of them. */
const ROUNDING = 256;

/** `UserError` for a tokenizer that has not the vocabulary of the file. */
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
