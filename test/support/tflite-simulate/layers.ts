import { multiply, multiplyOnce } from './fixed-point.ts';
import type { Call, Factor, Kernel } from './kernel.ts';
import { clamp, isQuantized, outputRange, rescaling, scaleOf, values, zeroPointOf } from './kernel.ts';
import type { Declared, Simulated } from './tensor.ts';
import { emptyData, sizeOf } from './tensor.ts';

/** Adds a bias to a sum of products and brings it into the type of the output; one function for each channel or one for all. */
function finishing(
  call: Call,
  weights: Simulated,
  bias: Simulated | undefined,
): (sum: number, channel: number) => number {
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const range = outputRange(output, call.options);
  const biases = Float64Array.from(
    bias?.data ?? new Float64Array(weights.shape.at(call.op === 'DEPTHWISE_CONV_2D' ? 3 : 0)!),
    Number,
  );
  const added = (channel: number): number => biases[channel]!;
  if (!isQuantized(output)) return (sum, channel) => clamp(sum + added(channel), range);
  const zeroPoint = zeroPointOf(output);
  const rounded = call.op === 'FULLY_CONNECTED' ? multiplyOnce : multiply;
  const factors = weights.scales.map((scale) =>
    rescaling(call.rounding, productFactor(input, scale, output, call.op), rounded),
  );
  return (sum, channel) => {
    const rescaled = (factors[channel] ?? factors[0]!)(sum + added(channel));
    return clamp(rescaled + zeroPoint, range);
  };
}

/** TFLite multiplies the scales of a dense layer in float32, those of a convolution in double. */
function productFactor(input: Declared, weight: number, output: Declared, op: string): Factor {
  const single = Math.fround(scaleOf(input) * weight);
  const product = op === 'CONV_2D' || op === 'DEPTHWISE_CONV_2D' ? scaleOf(input) * weight : single;
  return { double: product / scaleOf(output), single: Math.fround(single / scaleOf(output)) };
}

interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

function axisOf(call: Call, axis: 1 | 2, window: number): Axis {
  const letter = axis === 1 ? 'H' : 'W';
  const stride = Number(call.options[`stride${letter}`]);
  const dilation = Number(call.options[`dilation${letter}Factor`] ?? 1);
  const [size, out] = [call.inputs[0]!.shape[axis]!, call.outputs[0]!.shape[axis]!];
  const total = Math.max((out - 1) * stride + (window - 1) * dilation + 1 - size, 0);
  return { size, out, window, stride, dilation, before: call.options.padding === 1 ? 0 : Math.floor(total / 2) };
}

/** Visits the pixels of the input under each window: their offset, or -1 outside the image. */
function windows(
  call: Call,
  [height, width]: readonly [number, number],
  visit: (pixels: Int32Array, at: number) => void,
): void {
  const [h, w] = [axisOf(call, 1, height), axisOf(call, 2, width)];
  const pixels = new Int32Array(height * width);
  const batch = call.inputs[0]!.shape[0]!;
  for (let n = 0, at = 0; n < batch; n++) {
    for (let y = 0; y < h.out; y++) {
      for (let x = 0; x < w.out; x++, at++) {
        for (let i = 0; i < pixels.length; i++) {
          const row = y * h.stride - h.before + Math.floor(i / width) * h.dilation;
          const column = x * w.stride - w.before + (i % width) * w.dilation;
          const inside = row >= 0 && row < h.size && column >= 0 && column < w.size;
          pixels[i] = inside ? (n * h.size + row) * w.size + column : -1;
        }
        visit(pixels, at);
      }
    }
  }
}

/** Filter [out, height, width, in]. */
const convolution: Kernel = (call) => {
  const [input, weights, bias] = call.inputs as [Simulated, Simulated, Simulated | undefined];
  const [channels, height, width, depth] = weights.shape as [number, number, number, number];
  const [x, out] = [values(call, 0), emptyData(call.outputs[0]!)];
  const [finish, zeroPoint] = [finishing(call, weights, bias), zeroPointOf(input)];
  const filter = Float64Array.from(values(call, 1));
  const patch = new Float64Array(height * width * depth);
  windows(call, [height, width], (pixels, at) => {
    pixels.forEach((pixel, i) => {
      for (let c = 0; c < depth; c++) patch[i * depth + c] = pixel < 0 ? 0 : x[pixel * depth + c]! - zeroPoint;
    });
    for (let channel = 0; channel < channels; channel++) {
      out[at * channels + channel] = finish(dot(patch, filter, channel * patch.length), channel);
    }
  });
  return [out];
};

/** Scalar product of all of `a` with as much of `b` from `start` on; both arrays have one type, so that the function is compiled for it. */
function dot(a: Float64Array, b: Float64Array, start: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[start + i]!;
  return sum;
}

/** Filter [1, height, width, in · multiplier]. */
const depthwise: Kernel = (call) => {
  const [input, weights, bias] = call.inputs as [Simulated, Simulated, Simulated | undefined];
  const [, height, width, channels] = weights.shape as [number, number, number, number];
  const [x, filter, out] = [values(call, 0), values(call, 1), emptyData(call.outputs[0]!)];
  const [finish, zeroPoint, depth] = [finishing(call, weights, bias), zeroPointOf(input), input.shape[3]!];
  const multiplier = channels / depth;
  windows(call, [height, width], (pixels, at) => {
    for (let channel = 0; channel < channels; channel++) {
      const from = Math.floor(channel / multiplier);
      let sum = 0;
      for (let i = 0; i < pixels.length; i++) {
        if (pixels[i]! >= 0) sum += (x[pixels[i]! * depth + from]! - zeroPoint) * filter[i * channels + channel]!;
      }
      out[at * channels + channel] = finish(sum, channel);
    }
  });
  return [out];
};

/** Weights [out, in]. */
const fullyConnected: Kernel = (call) => {
  const [input, weights, bias] = call.inputs as [Simulated, Simulated, Simulated | undefined];
  const [channels, depth] = weights.shape as [number, number];
  const [filter, out] = [Float64Array.from(values(call, 1)), emptyData(call.outputs[0]!)];
  const [finish, zeroPoint] = [finishing(call, weights, bias), zeroPointOf(input)];
  const x = Float64Array.from(values(call, 0), (value) => value - zeroPoint);
  for (let row = 0; row < x.length / depth; row++) {
    const own = x.subarray(row * depth, (row + 1) * depth);
    for (let channel = 0; channel < channels; channel++)
      out[row * channels + channel] = finish(dot(own, filter, channel * depth), channel);
  }
  return [out];
};

const pool =
  (reduce: (window: readonly number[]) => number): Kernel =>
  (call) => {
    const { filterHeight, filterWidth } = call.options as { filterHeight: number; filterWidth: number };
    const [x, out, depth] = [values(call, 0), emptyData(call.outputs[0]!), call.inputs[0]!.shape[3]!];
    const range = outputRange(call.outputs[0]!, call.options);
    windows(call, [filterHeight, filterWidth], (pixels, at) => {
      const inside = pixels.filter((pixel) => pixel >= 0);
      for (let c = 0; c < depth; c++) {
        const window = Array.from(inside, (pixel) => x[pixel * depth + c]!);
        out[at * depth + c] = clamp(reduce(window), range);
      }
    });
    return [out];
  };

function mean(window: readonly number[]): number {
  return window.reduce((a, b) => a + b, 0) / window.length;
}

/** Halves away from zero. */
function integerMean(window: readonly number[]): number {
  const value = mean(window);
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

const averagePool: Kernel = (call) => pool(isQuantized(call.outputs[0]!) ? integerMean : mean)(call);

/** The operands' last two axes, transposed where asked; the axes before them broadcast. */
const batchMatMul: Kernel = (call) => {
  const [a, b] = call.inputs as [Simulated, Simulated];
  const output = call.outputs[0]!;
  const [rows, columns] = output.shape.slice(-2) as [number, number];
  const depth = call.options.adjX === true ? a.shape.at(-2)! : a.shape.at(-1)!;
  const at = (adjoint: unknown, row: number, column: number, sizes: [number, number]): number =>
    adjoint === true ? column * sizes[0] + row : row * sizes[1] + column;
  const finish = matMulFinish(call);
  const [x, y, out] = [values(call, 0), values(call, 1), emptyData(output)];
  const [zeroA, zeroB] = [zeroPointOf(a), zeroPointOf(b)];
  for (let i = 0; i < out.length; i++) {
    const [matrix, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    const [startA, startB] = [
      matrixOf(matrix, a, output) * rows * depth,
      matrixOf(matrix, b, output) * depth * columns,
    ];
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      const left = x[startA + at(call.options.adjX, row, k, [rows, depth])]! - zeroA;
      sum += left * (y[startB + at(call.options.adjY, k, column, [depth, columns])]! - zeroB);
    }
    out[i] = finish(sum);
  }
  return [out];
};

/** XNNPACK does not take this operator in 8 bits: TFLite's own kernel computes it either way. */
function matMulFinish({ inputs, outputs, op }: Call): (sum: number) => number {
  const output = outputs[0]!;
  if (!isQuantized(output)) return (sum) => sum;
  const rescale = rescaling('reference', productFactor(inputs[0]!, scaleOf(inputs[1]!), output, op));
  const range = outputRange(output, {});
  return (sum) => clamp(rescale(sum) + zeroPointOf(output), range);
}

/** Number of the matrix of an operand that matrix number `index` of the output is computed from. */
function matrixOf(index: number, operand: Declared, output: Declared): number {
  const outer = output.shape.slice(0, -2);
  const own = operand.shape.slice(0, -2);
  let [left, stride, result] = [index, 1, 0];
  for (let axis = 1; axis <= outer.length; axis++) {
    const size = outer.at(-axis)!;
    const mine = own.at(-axis) ?? 1;
    result += (mine === 1 ? 0 : left % size) * stride;
    stride *= mine;
    left = Math.floor(left / size);
  }
  return sizeOf(own) === 1 ? 0 : result;
}

export const layers: Readonly<Record<string, Kernel>> = {
  CONV_2D: convolution,
  DEPTHWISE_CONV_2D: depthwise,
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatMul,
  MAX_POOL_2D: pool((window) => Math.max(...window)),
  AVERAGE_POOL_2D: averagePool,
};
