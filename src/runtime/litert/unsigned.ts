import { builtinOperators } from '../../formats/tflite/schema/operators.ts';
import { tensorType } from '../../formats/tflite/schema/tensor-types.ts';
import type { Operator, TfliteModel, TfliteTensor } from '../../formats/tflite/types.ts';
import type { TensorData } from '../../graph/types.ts';

const QUANTIZE = builtinOperators.indexOf('QUANTIZE');

/**
 * The model with uint8 where it takes or hands back int8, which LiteRT.js has no tensors for: a QUANTIZE at each such end
 * moves all values by 128, to the bit. Everything else is unchanged.
 */
export function withUnsignedEnds(model: TfliteModel): TfliteModel {
  const [main, ...others] = model.subgraphs;
  const tensors: TfliteTensor[] = [...main!.tensors];
  const [before, after]: [Operator[], Operator[]] = [[], []];
  const opcodeIndex = model.operatorCodes.length;
  const moved = (ends: readonly number[], place: (inner: number, outer: number) => void): number[] =>
    ends.map((inner) => {
      const tensor = tensors[inner]!;
      if (tensor.type !== tensorType('int8') || tensor.quantization?.zeroPoint === undefined) return inner;
      const quantization = { ...tensor.quantization, zeroPoint: tensor.quantization.zeroPoint.map((at) => at + 128n) };
      // The name stays with the input, as feeds are given by name.
      const outer = tensors.push({ ...tensor, type: tensorType('uint8'), quantization, buffer: 0 }) - 1;
      tensors[inner] = { ...tensor, name: `${tensor.name}/int8` };
      place(inner, outer);
      return outer;
    });
  const operator = (from: number, to: number): Operator => ({ opcodeIndex, inputs: [from], outputs: [to] });
  const inputs = moved(main!.inputs, (inner, outer) => before.push(operator(outer, inner)));
  const outputs = moved(main!.outputs, (inner, outer) => after.push(operator(inner, outer)));
  const operators = [...before, ...main!.operators, ...after];
  const renamed = (old: readonly number[], now: readonly number[]) => (map: { name: string; tensorIndex: number }) => {
    const at = old.indexOf(map.tensorIndex);
    return at < 0 ? map : { ...map, tensorIndex: now[at]! };
  };
  return {
    ...model,
    operatorCodes: [
      ...model.operatorCodes,
      { deprecatedBuiltinCode: Math.min(QUANTIZE, 127), builtinCode: QUANTIZE, version: 1 },
    ],
    subgraphs: [{ ...main!, tensors, inputs, outputs, operators }, ...others],
    ...(model.signatureDefs && {
      signatureDefs: model.signatureDefs.map((signature) => ({
        ...signature,
        inputs: (signature.inputs ?? []).map(renamed(main!.inputs, inputs)),
        outputs: (signature.outputs ?? []).map(renamed(main!.outputs, outputs)),
      })),
    }),
  };
}

/** int8 as uint8 with the zero point 128 higher, and back: the highest bit turned over. */
export function turned(data: TensorData): TensorData {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).map((byte) => byte ^ 0x80);
  return data instanceof Int8Array ? bytes : new Int8Array(bytes.buffer);
}
