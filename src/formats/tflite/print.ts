import { printType } from '../../graph/print.ts';
import type { Program, TfliteValue } from './lower/program.ts';

/**
 * A program as stable text in the manner of `printGraph`, one line a value:
 *
 *     input  x: float32[1, 28, 28, 1]
 *     const  conv/kernel: int8[8, 3, 3, 1], 8 scales
 *     relu: int8[1, 28, 28, 8], scale 0.023, zero point -128 = CONV_2D(x, conv/kernel, bias)   # conv
 *     output logits = dense
 */
export function printProgram(program: Program): string {
  const text = (name: string): string => `${name}: ${valueText(program.value(name))}`;
  const uses = program.uses();
  return [
    ...Array.from(program.inputs, ([name, value]) => `input  ${name} = ${text(value)}`),
    ...[...program.values.keys()]
      .filter((name) => uses.has(name) && program.data(name) !== undefined)
      .map((name) => `const  ${text(name)}`),
    ...program.operations.map(({ op, inputs, outputs, layer }) => {
      const read = inputs.map((name) => name || '-').join(', ');
      return `${outputs.map(text).join(', ')} = ${op}(${read})${layer === undefined ? '' : `   # ${layer}`}`;
    }),
    ...Array.from(program.outputs, ([name, value]) => `output ${name} = ${value}`),
  ].join('\n');
}

function valueText({ type, quantization, sparsity }: TfliteValue): string {
  const sparse = sparsity === undefined ? '' : ', sparse';
  if (quantization === undefined) return `${printType(type)}${sparse}`;
  const { scales, zeroPoints } = quantization;
  const scaled = scales.length === 1 ? `scale ${scales[0]!}, zero point ${zeroPoints[0]!}` : `${scales.length} scales`;
  return `${printType(type)}, ${scaled}${sparse}`;
}
