import type { OnnxNode } from '../../model.ts';
import { attr, ignore } from '../attrs.ts';
import { castType } from '../cast-type.ts';
import type { Import, Importer } from '../context.ts';

const same: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  c.define(node.outputs[0]!, c.liesChannelsLast(x) ? { nhwc: c.nhwc(x) } : { plain: c.plain(x) });
};

/** Dropout, which is the identity in inference; kept if the graph will be trained. */
const dropout: Importer = (node, c) => {
  const [x, ratio = '', training = ''] = node.inputs as [string, string?, string?];
  ignore(node, 'seed');
  const rate = ratio === '' ? (attr(node, c, 'ratio', 'float') ?? USUAL_RATE) : c.number(ratio, 'ratio');
  if (c.isTrained) {
    if (c.opset < 7) ignore(node, 'is_test');
    const held = c.liesChannelsLast(x) ? c.nhwc(x) : c.plain(x);
    if (training !== '') c.number(training, 'training_mode');
    const y = c.op('Dropout', [held], { rate });
    c.define(node.outputs[0]!, c.liesChannelsLast(x) ? { nhwc: y } : { plain: y });
    return;
  }
  if (c.opset < 7 && Number(attr(node, c, 'is_test', 'int') ?? 0) === 0) inTraining(c);
  if (training !== '' && c.number(training, 'training_mode') !== 0) inTraining(c);
  same(node, c);
};

/** ONNX Dropout: default of ratio. */
const USUAL_RATE = 0.5;

function inTraining(c: Import): never {
  return c.fail('it drops values at random: it is in training mode', 'Export the model in evaluation mode.');
}

const cast: Importer = (node, c) => casted(node, c, castType(node, c));

/** Casts to the type of another value. */
const castLike: Importer = (node, c) => {
  ignore(node, 'saturate', 'round_mode');
  casted(node, c, c.knownOf(node.inputs[1])?.dtype ?? c.builder.typeOf(c.plain(node.inputs[1]!)).dtype);
};

function casted(node: OnnxNode, c: Import, to: string): void {
  const [x] = node.inputs as [string];
  const value = c.liesChannelsLast(x) ? c.nhwc(x) : c.plain(x);
  const { dtype } = c.builder.typeOf(value);
  if (to === dtype) {
    same(node, c);
    return;
  }
  if (to !== 'float32' && to !== 'int32' && to !== 'int64' && to !== 'bool')
    return c.fail(`to ${to}; expected to float32, int32, int64 or bool`);
  const y = c.op('Cast', [value], { dtype: to });
  c.define(node.outputs[0]!, c.liesChannelsLast(x) ? { nhwc: y } : { plain: y });
}

/** Importers of operators that pass their input on. */
export const passingImporters: Readonly<Record<string, Importer>> = {
  Identity: same,
  Dropout: dropout,
  Cast: cast,
  CastLike: castLike,
};
