import { builtinOperators } from '../../formats/tflite/schema/operators.ts';
import { tensorType } from '../../formats/tflite/schema/tensor-types.ts';
import type { Operator, TfliteModel, TfliteTensor } from '../../formats/tflite/types.ts';
import type { TensorData } from '../../graph/types.ts';

const QUANTIZE = builtinOperators.indexOf('QUANTIZE');

/**
 * The model with uint8 instead of int8 inputs and outputs, for which LiteRT.js has no tensors: a QUANTIZE at each shifts all values by 128, exactly.
 * Everything else is unchanged.
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
      // The input keeps its name, by which values are fed.
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

/** Converts int8 to uint8 with a zero point higher by 128, and back: flips the highest bit. */
export function turned(data: TensorData): TensorData {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).map((byte) => byte ^ 0x80);
  return data instanceof Int8Array ? bytes : new Int8Array(bytes.buffer);
}
